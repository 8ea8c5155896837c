# SPDX-License-Identifier: Apache-2.0
"""The output folder is written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runnel.errors import RunnelError
from runnel.output_folder import staged_folder, write_whole


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_new_folder_with_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with staged_folder(target) as stage:
        (stage / "runnel").mkdir()
        (stage / "runnel" / "x.h").write_text("new")
        assert not target.exists()
    assert contents(target) == {"runnel/x.h": "new"}
    assert [p.name for p in target.parent.iterdir()] == ["b"]


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_permissions_are_those_that_the_user_chose(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        with staged_folder(tmp_path / "out") as stage:
            (stage / "runnel").mkdir()
            (stage / "a.c").write_text("x")
        write_whole(tmp_path / "out" / "b.c", "x")
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "out", *(tmp_path / "out").iterdir())}
    folder, file = 0o777 & ~mask, 0o666 & ~mask
    assert modes == {"out": folder, "runnel": folder, "a.c": file, "b.c": file}


def test_existing_folder_keeps_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("theirs")
    (tmp_path / "model.c").write_text("old")
    with staged_folder(tmp_path) as stage:
        (stage / "model.c").write_text("new")
        assert (tmp_path / "model.c").read_text() == "old"
    assert contents(tmp_path) == {"main.c": "theirs", "model.c": "new"}


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_changes_after_an_error(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "out"
    if exists:
        target.mkdir()
        (target / "model.c").write_text("old")

    def fail() -> None:
        with staged_folder(target) as stage:
            (stage / "model.c").write_text("half")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert contents(tmp_path) == ({"out/model.c": "old"} if exists else {})
    assert list(tmp_path.iterdir()) == ([target] if exists else [])


def test_a_folder_where_a_file_should_go(tmp_path: Path) -> None:
    (tmp_path / "model.c").mkdir()
    with pytest.raises(RunnelError, match=r"model\.c is a folder"), staged_folder(tmp_path) as stage:
        (stage / "a.c").write_text("x")
        (stage / "model.c").write_text("x")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/runnel", "/dev/null/x"])
def test_places_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunnelError, match="cannot write to"), staged_folder(tmp_path / place):
        pytest.fail("the block must not run")
    assert contents(tmp_path) == {"file": "x"}


def test_half_way_is_not_called_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def fail_for_b(self: Path, target: Path) -> Path:
        if self.name == "b.c":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_for_b)
    with (
        pytest.raises(RunnelError, match=r"No space left.*\. 1 of the files there are new, the others as they were;"),
        staged_folder(tmp_path, last="c.c") as stage,
    ):
        for name in ("a.c", "b.c", "c.c"):
            (stage / name).write_text(name)
    assert contents(tmp_path) == {"a.c": "a.c"}


def test_another_process_makes_the_folder_first(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with staged_folder(target) as mine:
        (mine / "mine.c").write_text("mine")
        (mine / "both.c").write_text("mine")
        with staged_folder(target) as theirs:
            (theirs / "both.c").write_text("theirs")
            (theirs / "theirs.c").write_text("theirs")
    assert contents(tmp_path) == {"out/both.c": "mine", "out/mine.c": "mine", "out/theirs.c": "theirs"}


WRITER = """
import sys, time
from pathlib import Path
from runnel.output_folder import staged_folder

def slowly(self, target, replace=Path.replace):
    time.sleep(0.003)  # the others get in between, if they can
    return replace(self, target)

Path.replace = slowly
for turn in range(20):
    with staged_folder(Path(sys.argv[1])) as stage:
        for number in range(10):
            (stage / f"{number}.c").write_text(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no locks on folders")
def test_two_processes_do_not_mix_their_files(tmp_path: Path) -> None:
    """Whenever nobody is writing, all files are of one."""
    import fcntl

    target = tmp_path / "out"
    target.mkdir()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(target), name]) for name in ("one", "two")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        descriptor = os.open(target, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        seen.add(frozenset(path.read_text() for path in target.glob("*.c")))
        os.close(descriptor)
        time.sleep(0.001)
    assert [writer.wait() for writer in writers] == [0, 0]
    assert seen - {frozenset()} == {frozenset({"one"}), frozenset({"two"})}
    assert {path.suffix for path in target.iterdir()} == {".c"}


STOPPED = """
import os, signal, sys
from pathlib import Path
from runnel.output_folder import staged_folder
from runnel.signals import stop_cleanly

def stopped(self, target, replace=Path.replace):
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), each)
    return replace(self, target)

Path.replace = stopped
stop_cleanly()
try:
    with staged_folder(Path(sys.argv[1])) as stage:
        for name in ("a.c", "b.c", "c.c"):
            (stage / name).write_text("new")
    print("not stopped")
except KeyboardInterrupt:
    print("stopped")
"""


def test_signals_wait_until_all_files_have_moved(tmp_path: Path) -> None:
    (tmp_path / "b.c").write_text("old")
    command = [sys.executable, "-c", STOPPED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")
    assert contents(tmp_path) == {"a.c": "new", "b.c": "new", "c.c": "new"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.c", "b.c", "c.c"]


def test_ignored_signals_stay_ignored() -> None:
    """As under nohup, and in the background of a script."""
    program = (
        "import os, signal\n"
        "from runnel.signals import signals_held_back, stop_cleanly\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "stop_cleanly()\n"
        "with signals_held_back():\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('goes on')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
