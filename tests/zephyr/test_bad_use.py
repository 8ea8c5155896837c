# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a product's build says what to do about it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from zephyr.foreign import MODEL, write_product
from zephyr.workspaces import ROOT, Workspace, build, each_workspace, find_workspaces, words

HOST = "native_sim_64"


@dataclass(frozen=True)
class BadUse:
    """A mistake in CMakeLists.txt, prj.conf or the choice of the board, and parts of the message about it."""

    name: str
    says: tuple[str, ...]
    models: str = MODEL
    configuration: str = "CONFIG_RUNNEL=y\n"
    board: str = HOST
    sample: bool = False


SHARED = "runnel_shared_arena(TARGET app NAME shared MODELS"
BAD_USES = (
    BadUse(
        "two models with one name",
        ("the name Person is there twice", "person.tflite", "give one of them another NAME"),
        models=f"{MODEL}\n{MODEL.replace('NAME person', 'NAME Person')}",
        sample=True,
    ),
    BadUse(
        "board without YAML",
        ("runnel_model(NAME person)", "unknown board 'qemu_cortex_m3", "stm32f746", "BOARD of runnel_model()"),
        board="qemu_cortex_m3",
        sample=True,
    ),
    BadUse(
        "too big",
        ("runnel: person does not fit: it needs an arena of", "8,192 bytes", "(SRAM of runnel_model)"),
        models="runnel_model(TARGET app NAME person FILE person.tflite SRAM 8K)",
        sample=True,
    ),
    BadUse("no CONFIG_RUNNEL", ("runnel_model() needs CONFIG_RUNNEL=y", "prj.conf"), configuration=""),
    BadUse("no file", ("there is no file", "nobody.tflite"), models=MODEL.replace("FILE person", "FILE nobody")),
    BadUse("no target", ("there is no target nobody",), models=MODEL.replace("TARGET app", "TARGET nobody")),
    BadUse("no name", ("runnel_model() needs NAME",), models=MODEL.replace("NAME person", "")),
    BadUse("name", ("the name my-person is not",), models=MODEL.replace("NAME person", "NAME my-person")),
    BadUse("typo", ("runnel_model() does not know: RAM;64K",), models=MODEL[:-1] + " RAM 64K)"),
    BadUse("input", ("INPUT pushed: there are stored", "pulled"), models=MODEL[:-1] + " INPUT pushed)", sample=True),
    BadUse("objective", ("OBJECTIVE speed: there are sram,",), models=MODEL[:-1] + " OBJECTIVE speed)"),
    BadUse("passes", ("INPUT_PASSES 0:", "1 or more"), models=MODEL[:-1] + " INPUT pulled INPUT_PASSES 0)"),
    BadUse("passes alone", ("add INPUT pulled",), models=MODEL[:-1] + " INPUT_PASSES 2)"),
    BadUse("overhead", ("MAX_OVERHEAD -3:", "percent"), models=MODEL[:-1] + " MAX_OVERHEAD -3)"),
    BadUse("interface", ("has no objects",), models=MODEL.replace("TARGET app", "TARGET zephyr_interface")),
    BadUse(
        "shares",
        ("nothing is left for models", "CONFIG_RUNNEL_PRODUCT_SRAM"),
        configuration="CONFIG_RUNNEL=y\nCONFIG_RUNNEL_PRODUCT_SRAM=4096\n",
        board="mps2_an385",
    ),
    BadUse("shares nothing", ("there is no model words",), models=f"{MODEL}\n{SHARED} person words)"),
    BadUse(
        "shared twice",
        ("the model person shares the arena shared already",),
        models=f"{MODEL}\n{SHARED} person)\n{SHARED.replace('shared MODELS', 'other MODELS')} person)",
    ),
)


@pytest.mark.parametrize("bad", BAD_USES, ids=[bad.name for bad in BAD_USES])
@each_workspace
def test_message_says_what_to_do(workspace: Workspace, bad: BadUse, tmp_path: Path, full: bool) -> None:
    if not full and (not bad.sample or workspace != find_workspaces()[-1]):
        pytest.skip("a sample of the mistakes is made by default: ./scripts/test --full makes all")
    product = write_product(tmp_path / "product", bad.models, bad.configuration)
    built = build(workspace, product, bad.board, tmp_path / "build", check=False)
    assert built.code != 0
    for part in bad.says:
        assert part in words(built.output), built.output[-3000:]
    assert "Traceback" not in built.output
    assert not built.program.exists()


@each_workspace
def test_python_without_packages(workspace: Workspace, tmp_path: Path, full: bool) -> None:
    if not full and workspace != find_workspaces()[0]:
        pytest.skip("one workspace by default: ./scripts/test --full takes all")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    bare = tmp_path / "bare" / "bin" / "python"
    product = write_product(tmp_path / "product")
    built = build(workspace, product, HOST, tmp_path / "build", variables={"RUNNEL_PYTHON": str(bare)}, check=False)
    assert built.code != 0
    requirements = ROOT / "zephyr_module" / "requirements.txt"
    assert "generator cannot run in" in words(built.output)
    assert "it has no click, flatbuffers, jinja2" in words(built.output)
    assert f'"{bare}" -m pip install -r "{requirements}"' in built.output, "a line to copy, not wrapped"
    assert "RUNNEL_PYTHON" in built.output
    assert "Traceback" not in built.output
