# SPDX-License-Identifier: Apache-2.0
"""What a build system relies on: times, nothing half written, no installation needed. test_depfile.py has the rest."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import ROOT
from runnel.cli import execute
from runnel.errors import RunnelError
from runnel.output_folder import staged_folder, write_whole
from small_model import small_classifier_bytes

LONG_AGO = 1_000_000_000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small net $1 #2.tflite"
    path.write_bytes(small_classifier_bytes())
    return path


def compile_model(model: Path, folder: Path, *others: object) -> None:
    arguments = ["compile", model, "--board", "host", "-o", folder, "--name", "net", "--quiet", *others]
    assert execute([str(a) for a in arguments]) == 0


def run_module(python: Sequence[str], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m runnel` as a build system calls it: no installation, only PYTHONPATH."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "generator"), **environment}
    return subprocess.run([*python, "-m", "runnel", *arguments], capture_output=True, text=True, env=variables)


def test_quiet_prints_nothing(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compile_model(model, tmp_path / "out")
    assert capsys.readouterr() == ("", "")
    assert execute(["compile", str(model), "--board", "qemu-m7x", "-o", str(tmp_path / "other"), "--quiet"]) == 2
    assert "unknown board" in capsys.readouterr().err


def test_compiling_again_makes_everything_newer_and_keeps_other_files(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    compile_model(model, folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    others = {folder / "main.c": b"int main(void);", folder / "runnel" / "mine.h": b"#define MINE"}
    for path, data in others.items():
        path.write_bytes(data)
    for path in [*before, *others]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    compile_model(model, folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == {**before, **others}
    assert all(path.stat().st_mtime > LONG_AGO for path in before)
    assert all(path.stat().st_mtime == LONG_AGO for path in others)


def test_the_file_that_a_build_system_watches_moves_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    replace = Path.replace

    def record(self: Path, target: Path) -> Path:
        moved.append(Path(target).name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", record)
    with staged_folder(tmp_path, last="m.c") as stage:
        for name in ("a.c", "m.c", "z.h"):
            (stage / name).write_text(name)
    assert moved == ["a.c", "z.h", "m.c"]


def test_one_file_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "file.c"
    write_whole(path, "old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RunnelError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(RunnelError, match="cannot write to"):
        write_whole(tmp_path / "new" / "file.c" / "below.c", "x")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_leaves_nothing(number: signal.Signals, model: Path, tmp_path: Path) -> None:
    """Stopped while the stage is half full."""
    program = (
        "import signal, sys, time, runnel.cli, runnel.cli_commands\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background has it ignored
        "real = runnel.cli_commands.write_sources\n"
        "def slow(*arguments):\n"
        "    real(*arguments)\n"
        "    print('staged', flush=True)\n"
        "    time.sleep(60)\n"
        "runnel.cli_commands.write_sources = slow\n"
        "runnel.cli.main()\n"
    )
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "net.c").write_text("old")
    arguments = ["compile", str(model), "--board", "host", "-o", str(folder), "--name", "net"]
    command = [sys.executable, "-c", program, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "staged\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == ""
    assert [p.name for p in folder.iterdir()] == ["net.c"]
    assert (folder / "net.c").read_text() == "old"


def test_runs_without_installation(model: Path, tmp_path: Path) -> None:
    """-P -s and a foreign folder: what is found comes from PYTHONPATH alone."""
    arguments = ("compile", str(model), "--board", "nucleo_h743zi@B", "-o", str(tmp_path / "out"), "--quiet")
    done = run_module([sys.executable, "-s"], *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((tmp_path / "out").glob("*.c"))


def test_missing_packages_are_named_with_the_way_to_install_them(tmp_path: Path) -> None:
    """-S leaves out site-packages: a Python of Zephyr's without Runnel's packages."""
    done = run_module([sys.executable, "-S"], "boards")
    assert done.returncode == 2
    assert re.match(r"runnel: the Python package '\w+' is missing in \S+python\S*; install", done.stderr)
    assert "-m pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import runnel.__main__

    class Version(tuple[int, ...]):
        pass

    monkeypatch.setattr(sys, "version_info", Version((3, 8, 10, "final", 0)))
    with pytest.raises(SystemExit) as raised:
        runnel.__main__.start()
    assert raised.value.code == 2
    assert "needs Python 3.10 or later" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--sram", "--flash"])
def test_too_large_says_needed_budget_and_its_origin(
    option: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compile", str(model), "--board", "stm32f746", "-o", str(tmp_path / "out"), option, "80"]
    origin = "devicetree zephyr,sram 320K less CONFIG_RUNNEL_SHARE 64K"
    assert execute([*arguments, f"{option}-from", origin]) == 2
    error = capsys.readouterr().err
    needed = re.search(r" does not fit: .* ([\d,]+) bytes of (SRAM|flash), ([\d,]+) more than the 80 bytes", error)
    assert needed is not None
    assert int(needed[1].replace(",", "")) - 80 == int(needed[3].replace(",", ""))
    assert f"that the limit allows ({origin})" in error
    assert option not in error, "the build system chose the option, not its user"
    assert "What would help" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
