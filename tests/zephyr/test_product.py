# SPDX-License-Identifier: Apache-2.0
"""A product outside the repository uses the module, and builds again what changed and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from runnel.boards import load_board
from runnel.compiler import Options, load_bytes, plan_model
from small_model import small_classifier_bytes
from zephyr.foreign import copy_module, write_product
from zephyr.workspaces import ROOT, Build, Workspace, build, each_workspace, rebuild, run

COMPILING = "Runnel: compiling person.tflite"
BOARD = "mps2_an385"  # native_sim links again in every build, changed or not
MODEL = "runnel_model(TARGET app NAME person FILE person.tflite BOARD board.yaml)"


def _touch(path: Path) -> None:
    later = time.time() + 1  # file systems and tools that count in seconds
    os.utime(path, (later, later))
    time.sleep(max(0.0, later - time.time()) + 0.05)


def _assert_up_to_date(built: Build) -> None:
    again = rebuild(built)
    assert "no work to do" in again.output
    assert COMPILING not in again.output


@each_workspace
def test_a_product_builds_runs_and_builds_again_only_what_changed(workspace: Workspace, tmp_path: Path) -> None:
    module = copy_module(tmp_path / "runnel")
    product = write_product(tmp_path / "product", MODEL)
    (product / "board.yaml").write_text(
        (ROOT / "boards" / "qemu-m3.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )

    built = build(workspace, product, BOARD, tmp_path / "build", module=module)
    assert built.output.count(COMPILING) == 1
    text = run(built, until="^run:").text
    assert "selftest: 0\n" in text
    assert "run: 0, output: " in text
    _assert_up_to_date(built)

    watched = (
        product / "person.tflite",
        product / "board.yaml",
        module / "generator" / "runnel" / "emit" / "templates" / "model.c.j2",
        module / "generator" / "runnel" / "plan" / "planner.py",
        module / "zephyr_module" / "include" / "runnel" / "kernels" / "conv_2d.h",
    )
    for path in watched:
        _touch(path)
        assert rebuild(built).output.count(COMPILING) == 1, path
        _assert_up_to_date(built)
    _touch(product / "main.c")
    assert COMPILING not in rebuild(built).output

    _replace_model(built, product)


def _replace_model(built: Build, product: Path) -> None:
    """Another model in the same file: the firmware is the new model's."""
    (product / "person.tflite").write_bytes(small_classifier_bytes())
    assert rebuild(built).output.count(COMPILING) == 1
    text = run(built, until="^run:").text
    assert "selftest: 0\n" in text
    plan = plan_model(load_bytes(small_classifier_bytes(), "small"), load_board("qemu-m3"), Options(), "person")
    assert f"arena: {plan.arena_bytes}\n" in text
