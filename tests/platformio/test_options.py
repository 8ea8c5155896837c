# SPDX-License-Identifier: Apache-2.0
"""The parts of the hook that need no PlatformIO: options, freshness, choice of the Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from platformio_builds import ROOT
from small_model import small_classifier_bytes

sys.path.append(str(ROOT / "boards" / "platformio"))  # at the end: runnel.py there must not hide the package

from runnel_platformio import generation
from runnel_platformio.errors import HookError
from runnel_platformio.firmware import firmware_settings
from runnel_platformio.options import ModelRequest, Request, read_request
from runnel_platformio.python import find_python, problem_with


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("small.tflite", "other.tflite", "with space.tflite"):
        (tmp_path / name).write_bytes(small_classifier_bytes())
    return tmp_path


def request(project: Path, models: str, board: str | None = "stm32f746", **others: str) -> Request:
    options = {f"custom_runnel_{key}": value for key, value in others.items()}
    return read_request({"custom_runnel_models": models, **options}, project, board)


def test_options_of_all_models_and_of_one(project: Path) -> None:
    got = request(
        project,
        '\none = small.tflite sram=64K\ntwo="with space.tflite" board=mine.yaml objective=latency',
        sram="1M",
        arena_section=".dtcm",
        shared_arena="both",
    )
    assert got.shared_arena == "both"
    assert got.models == (
        ModelRequest("one", project / "small.tflite", {"board": "stm32f746", "sram": "64K", "arena_section": ".dtcm"}),
        ModelRequest(
            "two",
            project / "with space.tflite",
            {"board": str(project / "mine.yaml"), "sram": "1M", "arena_section": ".dtcm", "objective": "latency"},
        ),
    )


def test_options_of_streaming_go_to_the_generator(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def note(python: str, arguments: list[str], what: str) -> None:
        calls.append(arguments)
        raise HookError("noted")

    monkeypatch.setattr(generation, "_run", note)
    got = request(project, "one = small.tflite max_overhead=2.5%\ntwo = other.tflite input=stored", input="pulled")
    for model in got.models:
        with pytest.raises(HookError, match="noted"):
            compiles(model, project / model.name)
    assert calls[0][calls[0].index("--input") + 1] == "pulled"
    assert calls[0][calls[0].index("--max-overhead") + 1] == "2.5%"
    assert calls[1][calls[1].index("--input") + 1] == "stored"
    assert "--max-overhead" not in calls[1]


@pytest.mark.parametrize(
    ("models", "others", "expected"),
    [
        ("", {}, ["names no model", "custom_runnel_models", "person = models/person.tflite"]),
        ("net = gone.tflite", {}, ["model net", "no file", "gone.tflite"]),
        ("net = .", {}, ["model net", "no file"]),
        (
            "a = small.tflite\na = other.tflite",
            {},
            ["two models are called a", "small.tflite", "other.tflite", "a_run"],
        ),
        ("small.tflite", {}, ["'small.tflite' is not understood", "equals sign"]),
        ("1st = small.tflite", {}, ["is not understood"]),
        ("net = 'small.tflite", {}, ["No closing quotation"]),
        ("net = with space.tflite", {}, ["'space.tflite' is not understood", "needs quotes"]),
        ("net = small.tflite ram=4K", {}, ["'ram=4K' is not understood", "sram=…"]),
        ("net = small.tflite", {"srma": "4K"}, ["unknown option custom_runnel_srma", "custom_runnel_sram"]),
        ("net = small.tflite", {"shared_arena": "net"}, ["name of a model too"]),
        ("net = small.tflite", {"input": "pushed"}, ["model net: input = pushed", "stored or pulled"]),
        ("net = small.tflite objective=speed", {}, ["objective = speed", "sram, latency or flash"]),
        ("net = small.tflite input=pulled input_passes=0", {}, ["input_passes = 0", "1 or more"]),
        ("net = small.tflite", {"input_passes": "2"}, ["input_passes", "add input = pulled or leave it out"]),
        ("net = small.tflite", {"max_overhead": "-3"}, ["max_overhead = -3", "percent"]),
        ("net = small.tflite", {"max_overhead": "ten"}, ["max_overhead = ten", "percent"]),
    ],
)
def test_mistakes_are_explained(project: Path, models: str, others: dict[str, str], expected: list[str]) -> None:
    with pytest.raises(HookError) as error:
        request(project, models, **others)
    for text in expected:
        assert text in str(error.value)


def test_a_model_needs_a_board(project: Path) -> None:
    with pytest.raises(HookError, match="custom_runnel_board"):
        request(project, "net = small.tflite", board=None)


def compiles(model: ModelRequest, folder: Path) -> bool:
    return generation.compile_model(model, folder, lambda: sys.executable)


def test_compiles_again_when_a_file_or_an_option_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project / "with space" / "net"
    model = ModelRequest("net", project / "with space.tflite", {"board": "stm32f746"})
    assert compiles(model, folder)
    assert not compiles(model, folder)
    stamp = folder / generation.STAMP
    inputs = generation.json.loads(stamp.read_text())["inputs"]
    names = {Path(name).name for name in inputs}
    assert {"with space.tflite", "stm32f746.yaml", "emitter.py", "model.c.j2", "conv_2d_pixels.h"} <= names
    for changed in ("with space.tflite", "stm32f746.yaml", "emitter.py", "conv_2d_pixels.h"):
        path = next(name for name in inputs if Path(name).name == changed)
        state = generation.json.loads(stamp.read_text())
        state["inputs"][path][0] -= 1  # as if the file were newer than it was
        stamp.write_text(generation.json.dumps(state))
        assert not generation._is_fresh(folder, state["arguments"], [])
    (folder / "net.h").unlink()
    assert compiles(model, folder)
    assert compiles(ModelRequest("net", model.file, {**model.options, "objective": "flash"}), folder)
    os.utime(model.file)
    assert compiles(ModelRequest("net", model.file, {**model.options, "objective": "flash"}), folder)


class Environment:
    """Of SCons, for a product that names our platform as its own."""

    def subst(self, text: str) -> str:
        return "."

    def GetProjectOption(self, name: str, default: str) -> str:
        return default


def test_our_platform_is_for_our_apps() -> None:
    with pytest.raises(HookError, match=r"custom_app.*apps only; a product names its own platform"):
        firmware_settings(Environment(), "stm32f746")


def test_an_error_leaves_no_stamp(project: Path) -> None:
    folder = project / "net"
    good = ModelRequest("net", project / "small.tflite", {"board": "stm32f746"})
    assert compiles(good, folder)
    with pytest.raises(
        HookError, match=r"model net: .*unknown board 'toaster'[^\n]*\.yaml[^\n]*custom_runnel_board in platformio"
    ):
        compiles(ModelRequest("net", good.file, {"board": "toaster"}), folder)
    assert compiles(good, folder)


def test_the_python_with_the_packages_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNNEL_PYTHON", raising=False)
    assert find_python(tmp_path, None) == sys.executable
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    assert "No module named" in (problem_with(str(bare)) or "")
    own = tmp_path / ".venv" / "bin"
    own.mkdir(parents=True)
    (own / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (own / "python").chmod(0o755)
    monkeypatch.setattr("runnel_platformio.python.sys.executable", str(bare))
    assert find_python(tmp_path, None) == str(own / "python")
    monkeypatch.setenv("RUNNEL_PYTHON", str(bare))
    with pytest.raises(HookError, match=r"RUNNEL_PYTHON(.|\n)*-m pip install -r .*requirements\.txt"):
        find_python(tmp_path, None)
    with pytest.raises(HookError, match="no such program"):
        find_python(tmp_path, "/nowhere/python3")
