# SPDX-License-Identifier: Apache-2.0
"""The command line: what it prints, what it writes, its exit codes, and that errors are one clear message."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import runnel.cli_plan
from console import Console
from runnel.cli_options import parse_bytes
from small_model import small_classifier_bytes

PLAN_FIELDS = {
    "board", "arena_bytes", "arena_lower_bound_bytes", "predicted_bytes", "constants_bytes", "macs", "macs_overhead",
    "input_passes", "objective", "segments",
}  # fmt: skip
RUN_FIELDS = PLAN_FIELDS | {
    "sram_bytes", "stack_bytes", "code_bytes", "flash_bytes", "instructions", "mismatches", "outputs",
}  # fmt: skip

needs_qemu = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="arm-none-eabi-gcc or qemu-system-arm is not installed: ./scripts/setup test",
)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNNEL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "small net.tflite"
    path.write_bytes(small_classifier_bytes())
    return path


@pytest.mark.parametrize(
    "command", ["", "compile", "arena", "plan", "report", "compare", "run", "boards", "operators", "zoo"]
)
def test_help_teaches(console: Console, command: str) -> None:
    code, out, _ = console(*command.split(), "--help")
    assert code == 0
    assert "Usage: runnel" in out
    if command not in ("", "boards"):
        assert "  runnel " in out, "an example"


def test_no_arguments_shows_the_help(console: Console) -> None:
    code, out, err = console()
    assert code == 2
    assert "Try it:" in out + err


def test_compile_writes_everything(console: Console, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    figures = console.json("compile", model, "--board", "qemu-m7", "-o", folder)
    assert set(figures) >= PLAN_FIELDS
    assert {"small_net.c", "small_net.h", "plan.json", "report.html"} <= set(figures["files"])
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == figures["files"]
    assert figures["arena_bytes"] >= figures["arena_lower_bound_bytes"] > 0
    assert figures["macs"] == 4 * 4 * 4 * 27 + 2 * 4
    assert figures["macs_overhead"] == 0


def test_compile_gives_the_same_bytes_every_time(console: Console, model: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        console.json("compile", model, "--board", "qemu-m4", "-o", tmp_path / folder, "--name", "net")
    first = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    second = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert first == second


def test_name_is_used_everywhere(console: Console, model: Path, tmp_path: Path) -> None:
    figures = console.json("compile", model, "--board", "host", "-o", tmp_path / "out", "--name", "watcher")
    assert {"watcher.c", "watcher.h"} <= set(figures["files"])
    assert "int watcher_run(void)" in (tmp_path / "out" / "watcher.h").read_text()


def test_plan_prints_tables_and_writes_nothing(console: Console, model: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = console("plan", model, "--board", "stm32f746", "--sram", "64K", "--objective", "latency")
    assert code == 0
    assert "CONV_2D" in out
    assert sorted(tmp_path.rglob("*")) == before
    assert set(console.json("plan", model, "--board", "stm32f746")) >= PLAN_FIELDS


@needs_qemu
@pytest.mark.usefixtures("tflm")
def test_run_compares_with_the_oracle(console: Console, model: Path) -> None:
    figures = console.json("run", model, "--board", "qemu-m7", "--random", 3, "--seed", 5)
    assert set(figures) >= RUN_FIELDS
    assert figures["mismatches"] == 0
    assert figures["oracle"] == "TensorFlow Lite Micro"
    assert np.shape(figures["outputs"]) == (3, 1, 2)
    assert figures["sram_bytes"] >= figures["arena_bytes"] + figures["stack_bytes"]
    assert figures["flash_bytes"] > figures["code_bytes"] + figures["constants_bytes"]
    assert figures["instructions"] > figures["macs"]
    again = console.json("run", model, "--board", "qemu-m7", "--random", 3, "--seed", 5)
    assert again == figures
    other = console.json("run", model, "--board", "qemu-m7", "--random", 3, "--seed", 6)
    assert other["outputs"] != figures["outputs"]


@needs_qemu
def test_run_shows_an_image_to_the_model(console: Console, model: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), (200, 100, 50)).save(photo)
    code, out, _ = console(
        "run", model, "--board", "qemu-m4", "--input", photo, "--input", photo, "--oracle", "none"
    )  # fmt: skip
    assert code == 0
    assert out.count("photo.png") == 2
    assert "cat 0." in out and "dog 0." in out
    assert "not compared" in out


@needs_qemu
@pytest.mark.usefixtures("tflm")
def test_a_difference_is_exit_code_1(console: Console, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import runnel.inference

    monkeypatch.setattr(runnel.inference, "compare", lambda ours, theirs: 7)
    code, out, _ = console("run", model, "--board", "qemu-m3")
    assert code == 1
    assert "DIFFERS from TensorFlow Lite Micro: 7 of 2 bytes" in out


def test_boards_and_operators(console: Console) -> None:
    boards = {b["name"]: b for b in console.json("boards")["boards"]}
    assert boards["stm32f746"]["sram_bytes"] == 320 * 1024
    assert "stm32f746" in console("boards")[1]
    assert "CONV_2D" in {o["kind"] for o in console.json("operators")["operators"]}
    assert "CONV_2D" in console("operators")[1]
    assert console("operators", "--markdown")[1].startswith("<!-- SPDX")


def test_a_model_too_large_says_by_how_much(console: Console, model: Path) -> None:
    code, _, err = console("plan", model, "--board", "qemu-m7", "--sram", "100")
    assert code == 2
    assert "more than the 100 bytes" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("plan nothing.tflite --board qemu-m7", "there is no model nothing.tflite"),
        (f"plan {'x' * 5000} --board qemu-m7", "File name too long"),
        ("plan /dev/zero --board qemu-m7", "is not a regular file"),
        ("plan {folder} --board qemu-m7", "is a folder"),
        ("plan {junk} --board qemu-m7", "junk.tflite"),
        ("plan {model} --board qemu-m77", "unknown board 'qemu-m77'"),
        ("plan {model}", "Missing option '--board'; `runnel boards` lists them"),
        ("plan --board qemu-m7", "Missing argument 'MODEL'"),
        ("plan {model} --board qemu-m7 --sram lots", "'lots' is not a size"),
        ("plan {model} --board qemu-m7 --sram -5", "'-5' is not a size"),
        ("plan {model} --board qemu-m7 --objective speed", "'speed' is not one of"),
        ("plan {model} --board qemu-m7 --name while", "is taken by C"),
        ("compile {model} --board qemu-m7 -o {junk}", "it is a file, not a folder"),
        ("compile {model} --board qemu-m7 -o /proc/x", "cannot write to /proc/x"),
        ("run {model} --board stm32f746", "qemu-m7"),
        ("run {model} --board host --input a.png --random 3", "exclude each other"),
        ("run {model} --board host --random 0", "0 is not in the range"),
        ("run {model} --board host --oracle none --input gone.png", "gone.png does not exist"),
        ("run {model} --board host --oracle none --input {junk}", "cannot read"),
        ("fly", "No such command 'fly'"),
    ],
)
def test_errors_are_one_message_and_code_2(console: Console, model: Path, arguments: str, message: str) -> None:
    folder = model.parent
    junk = folder / "junk.tflite"
    junk.write_bytes(b"not a model at all")
    before = sorted(folder.rglob("*"))
    places = {"{model}": str(model), "{folder}": str(folder), "{junk}": str(junk)}
    words = [places.get(word, word) for word in arguments.split()]
    code, _, err = console(*words)
    assert code == 2
    assert message in err
    assert err.strip().splitlines()[-1].startswith("runnel: ")
    assert sorted(folder.rglob("*")) == before
    code, out, _ = console(*words, "--json")
    assert code == 2
    assert message in json.loads(out)["error"]


def test_internal_errors_ask_for_a_report(console: Console, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(runnel.cli_plan, "plan_model", fail)
    monkeypatch.delenv("RUNNEL_DEBUG", raising=False)
    code, _, err = console("plan", model, "--board", "qemu-m7")
    assert code == 1
    assert "internal error (ZeroDivisionError: on purpose)" in err
    assert "report" in err


def test_interrupt_is_quiet(console: Console, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runnel.cli_plan, "plan_model", interrupt)
    code, out, err = console("plan", model, "--board", "qemu-m7")
    assert (code, out, err.strip()) == (130, "", "")


def test_a_reader_that_stops_is_no_error() -> None:
    command = [sys.executable, "-m", "runnel", "operators"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ})
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.wait(60)
    assert "Traceback" not in errors and "Exception" not in errors


@pytest.mark.parametrize(
    ("text", "size"),
    [("65536", 65536), ("64K", 65536), ("64k", 65536), ("64kB", 65536), ("64 KiB", 65536), ("1M", 1 << 20),
     ("1.5M", 3 << 19), ("1mb", 1 << 20), ("100 bytes", 100), ("1G", 1 << 30)],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "K", "-1", "0", "1.3", "1e6", "64Q", "64KK", "5G", "0x100", "nan", "١٢"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        parse_bytes(text)


def test_click_is_not_shown_twice() -> None:
    """The commands are registered once, under the names that the documentation uses."""
    from runnel.cli import cli

    assert isinstance(cli, click.Group)
    assert sorted(cli.commands) == [
        "arena", "boards", "compare", "compile", "operators", "patches", "plan", "report", "run", "zoo"
    ]  # fmt: skip


def test_saved_plan_is_replayed_and_a_foreign_one_refused(console: Console, model: Path, tmp_path: Path) -> None:
    made = console.json("compile", model, "--board", "qemu-m7", "-o", tmp_path / "made")
    saved = tmp_path / "made" / "plan.json"
    again = console.json("plan", model, "--board", "qemu-m7", "--plan", saved)
    assert again["arena_bytes"] == made["arena_bytes"]
    for arguments in (("--board", "qemu-m3", "--plan", saved), ("--board", "qemu-m7", "--plan", tmp_path / "none")):
        code, _, err = console("plan", model, *arguments)
        assert code == 2 and "plan" in err
