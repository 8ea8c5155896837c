# SPDX-License-Identifier: Apache-2.0
"""What a build system relies on: dependency files, times, nothing half written, no installation needed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import ROOT
from runnel.cli import execute
from runnel.depfile import dependency_rule, generator_files
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


def make_says(depfile: Path, folder: Path) -> bool:
    """Whether make holds the target of a rule for out of date."""
    makefile = folder / "Makefile"
    target = str(folder / "net.c").replace(" ", "\\ ")
    makefile.write_text(f"all: {target}\n{target}:\n\t@echo again\ninclude {str(depfile)!s}\n".replace("$", "$$"))
    done = subprocess.run(["make", "-f", str(makefile)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return "again" in done.stdout


def test_make_reads_the_depfile(model: Path, tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    folder, depfile = tmp_path / "out put", tmp_path / "net.d"
    compile_model(model, folder, "--depfile", depfile)
    assert not make_says(depfile, folder)
    later = time.time() + 10
    os.utime(model, (later, later))
    assert make_says(depfile, folder)


def test_ninja_reads_the_depfile(model: Path, tmp_path: Path) -> None:
    if shutil.which("ninja") is None:
        pytest.skip("ninja is not installed")
    folder = tmp_path / "out"
    command = (
        f"'{sys.executable}' -m runnel compile '{model}' --board host -o {folder} --name net --depfile net.d --quiet"
    )
    escaped = re.sub(r"([ :])", r"$\1", str(model).replace("$", "$$"))
    (tmp_path / "build.ninja").write_text(
        f"rule runnel\n  command = PYTHONPATH={ROOT}/generator {command.replace('$', '$$')}\n  depfile = net.d\n"
        f"build {folder}/net.c: runnel {escaped}\n"
    )

    def build() -> str:
        return subprocess.run(["ninja"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert "[1/1]" in build()
    assert "no work to do" in build()
    later = time.time() + 2
    os.utime(model, (later, later))
    time.sleep(2.1)
    assert "[1/1]" in build()
    assert "no work to do" in build(), "the same content again, and yet newer than the model"


def test_the_rule_names_all_that_a_compilation_reads(tmp_path: Path, model: Path) -> None:
    """All modules that the functions behind `runnel compile` import are in it, and what is in it exists."""
    depfile = tmp_path / "build" / "net.d"
    saved = tmp_path / "first"
    compile_model(model, saved)
    compile_model(model, tmp_path / "out", "--depfile", depfile, "--plan", saved / "plan.json")
    text = depfile.read_text().replace("\\\n", " ").replace("\\ ", "\0").replace("\\#", "#").replace("$$", "$")
    target, _, dependencies = text.partition(": ")
    assert target == str(tmp_path / "out" / "net.c")
    files = {Path(word.replace("\0", " ")) for word in dependencies.split()}
    assert {model, ROOT / "boards" / "host.yaml", saved / "plan.json"} <= files
    assert all(path.is_absolute() and path.is_file() for path in files)
    program = (
        "import sys, runnel.compiler, runnel.boards, runnel.output_folder, runnel.reference\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'runnel' and m.__file__), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {Path(line) for line in done.stdout.split("\n") if line}
    assert len(imported) > 50
    assert imported <= files
    assert set((ROOT / "generator" / "runnel" / "emit").rglob("*.j2")) <= files
    written = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("runnel/**/*.h")}
    assert written
    assert {ROOT / "zephyr_module" / "include" / p for p in written} <= files


def test_training_and_running_do_not_trigger_a_build() -> None:
    folders = {path.relative_to(ROOT).parts[2] for path in generator_files() if "generator" in path.parts}
    assert not folders & {"train", "run", "build", "audio"}


def test_a_path_with_a_line_break_is_refused() -> None:
    with pytest.raises(RunnelError, match="line break"):
        dependency_rule(Path("a.c"), [Path("b\nc")])


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
    assert path.stat().st_mode & 0o777 == 0o644

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
        "import sys, time, runnel.cli, runnel.cli_commands\n"
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
    assert f"that {option} allows ({origin})" in error
    assert "What would help" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
