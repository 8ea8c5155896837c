# SPDX-License-Identifier: Apache-2.0
"""A product outside the repository uses the module, and builds again what changed and nothing else."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runnel.boards import load_board
from runnel.compiler import Options, load_model, plan_model
from small_model import small_classifier_bytes
from zephyr.foreign import PERSON, copy_module, write_product
from zephyr.workspaces import ROOT, Build, Workspace, build, each_workspace, find_workspaces, rebuild, run

COMPILING = "Runnel: compiling person.tflite"
BOARD = "mps2_an385"  # native_sim links again in every build, changed or not
MODEL = 'runnel_model(TARGET app NAME person FILE "my models/person.tflite" BOARD board.yaml)'


def _touch(path: Path) -> None:
    later = time.time() + 1  # file systems and tools that count in seconds
    os.utime(path, (later, later))
    time.sleep(max(0.0, later - time.time()) + 0.05)


def _assert_up_to_date(built: Build) -> None:
    again = rebuild(built)
    assert "no work to do" in again.output
    assert COMPILING not in again.output


def _assert_runs(built: Build, model: Path) -> None:
    """The firmware runs the model that is in the file now."""
    plan = plan_model(load_model(model), load_board("qemu-m3"), Options(), "person")
    text = run(built, until="^run:").text
    assert "selftest: 0\n" in text
    assert f"arena: {plan.arena_bytes}\n" in text
    assert "run: 0, output: " in text


@each_workspace
def test_a_product_builds_runs_and_builds_again_only_what_changed(
    workspace: Workspace, tmp_path: Path, full: bool
) -> None:
    if not full and workspace != find_workspaces()[0]:
        pytest.skip("one workspace by default: ./scripts/test --full takes all")
    module = copy_module(tmp_path / "runnel")
    product = write_product(tmp_path / "product", MODEL)
    shutil.copy(ROOT / "boards" / "qemu-m3.yaml", product / "board.yaml")
    model = product / "my models" / "person.tflite"
    model.parent.mkdir()
    model.write_bytes(small_classifier_bytes())

    built = build(workspace, product, BOARD, tmp_path / "build", module=module)
    assert built.output.count(COMPILING) == 1
    _assert_runs(built, model)
    _assert_up_to_date(built)

    watched = (
        model,
        product / "board.yaml",
        module / "generator" / "runnel" / "emit" / "templates" / "model.c.j2",
        module / "generator" / "runnel" / "plan" / "planner.py",
        module / "zephyr_module" / "include" / "runnel" / "kernels" / "conv_2d_pixels.h",
    )
    for path in watched:
        _touch(path)
        assert rebuild(built).output.count(COMPILING) == 1, path
        _assert_up_to_date(built)
    _touch(product / "main.c")
    assert COMPILING not in rebuild(built).output

    shutil.copyfile(PERSON, model)
    assert rebuild(built).output.count(COMPILING) == 1
    _assert_runs(built, model)


_VISION_CMAKE = """\
zephyr_library_named(vision)
zephyr_library_sources(vision.cpp)
runnel_model(TARGET vision NAME person FILE ../person.tflite)
runnel_model(TARGET vision NAME other FILE ../person.tflite OBJECTIVE flash)
"""
_VISION_CPP = """\
#include "other.h"
#include "person.h"

extern "C" int check_all(void)
{
	return person_selftest() + other_selftest();
}
"""
_LIBRARY_MAIN = """\
#include <zephyr/sys/printk.h>

int check_all(void);

int main(void)
{
	printk("run: %d\\n", check_all());
	return 0;
}
"""


def _write_library(product: Path) -> None:
    """A module of the product's own: a Zephyr library in C++ that holds two models."""
    (product / "person.tflite").write_bytes(small_classifier_bytes())
    (product / "main.c").write_text(_LIBRARY_MAIN, encoding="utf-8")
    module = product / "module"
    (module / "zephyr").mkdir(parents=True)
    (module / "zephyr" / "module.yml").write_text(
        "name: vision\nbuild:\n  cmake: .\n  depends: [runnel]\n", encoding="utf-8"
    )
    (module / "CMakeLists.txt").write_text(_VISION_CMAKE, encoding="utf-8")
    (module / "vision.cpp").write_text(_VISION_CPP, encoding="utf-8")


@each_workspace
def test_a_zephyr_library_of_another_module_holds_the_models(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("./scripts/test --full does it")
    product = write_product(tmp_path / "product", models="", configuration="CONFIG_RUNNEL=y\nCONFIG_CPP=y\n")
    _write_library(product)
    modules = f"-DZEPHYR_EXTRA_MODULES={product / 'module'};{ROOT}"
    built = build(workspace, product, BOARD, tmp_path / "build", cmake=[modules])
    assert "run: 0" in run(built, until="^run:").lines


@each_workspace
def test_clang_builds_it_for_the_host(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    if not full:
        pytest.skip("./scripts/test --full does it")
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    product = write_product(tmp_path / "product")
    variant = {"ZEPHYR_TOOLCHAIN_VARIANT": "llvm"}
    built = build(workspace, product, "native_sim_64", tmp_path / "build", variables=variant)
    assert "selftest: 0" in run(built, until="^run:").lines


@each_workspace
def test_sysbuild(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    """An image of a build of several; RUNNEL_PYTHON reaches it through the environment."""
    if not full:
        pytest.skip("./scripts/test --full does it")
    sysbuild = workspace.base / "share" / "sysbuild"
    needed = sysbuild / "build" / "Kconfig"
    if 'rsource "build/Kconfig"' in (sysbuild / "Kconfig").read_text(encoding="utf-8") and not needed.is_file():
        pytest.skip(f"this copy of Zephyr {workspace.name} is incomplete: {needed} is missing")
    product = write_product(tmp_path / "product")
    (product / "person.tflite").write_bytes(small_classifier_bytes())
    built = build(workspace, product, BOARD, tmp_path / "build", options=["--sysbuild"])
    image = replace(built, folder=built.folder / "product")
    assert "selftest: 0" in run(image, until="^run:").lines
