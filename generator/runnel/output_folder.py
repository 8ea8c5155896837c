# SPDX-License-Identifier: Apache-2.0
"""Writes folders and files whole or not at all: they are made beside their place and moved there when complete."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.errors import RunnelError
from runnel.signals import signals_held_back

if sys.platform != "win32":
    import fcntl


@contextmanager
def staged_folder(target: Path, last: str = "") -> Iterator[Path]:
    """Yields an empty folder; when the block ends without an error its files are moved to `target`.

    A new target appears with one rename. In an existing one files of the same names are replaced, each with one
    rename; all other files stay. After an error the target is as it was. Neither Ctrl-C nor another process that
    writes to the same target gets in between: all files are of one call. Raises RunnelError where it cannot write.

    last: the file to move last, even where its content is the old one. A build system that compares its time with
    those of the inputs then starts again after an interruption.
    """
    workplace: Path | None = None
    try:
        try:
            with signals_held_back():
                workplace = _make_workplace(target)
                stage = workplace / "new"  # in there because mkdtemp makes it private, and this one obeys the umask
                stage.mkdir()
        except OSError as error:
            raise _cannot_write(target, error) from error
        yield stage
        _publish(stage, target, last)
    finally:
        if workplace is not None:
            with signals_held_back():
                shutil.rmtree(workplace, ignore_errors=True)


def _make_workplace(target: Path) -> Path:
    if target.is_dir():
        # Inside: the target may be a mount point, and renames work only within one file system.
        return Path(tempfile.mkdtemp(prefix=".runnel-", dir=target))
    if target.exists():
        raise NotADirectoryError(20, "it is a file, not a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))


def _publish(stage: Path, target: Path, last: str) -> None:
    moved = 0
    try:
        if _publish_new(stage, target):
            return
        with _one_process_at_a_time(target), signals_held_back():
            for path, place in _moves(stage, target, last):
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
                moved += 1
    except OSError as error:
        raise _cannot_write(target, error, moved) from error


def _publish_new(stage: Path, target: Path) -> bool:
    """Moves the whole folder, if nothing is at its place yet."""
    if target.exists():
        return False
    try:
        with signals_held_back():
            stage.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster
            return False
        raise
    return True


def _moves(stage: Path, target: Path, last: str) -> list[tuple[Path, Path]]:
    """What goes where, in order. Raises OSError when something in the way would stop it half-way."""
    files = sorted((p for p in stage.rglob("*") if p.is_file()), key=lambda p: (p == stage / last, p))
    moves = [(path, target / path.relative_to(stage)) for path in files]
    for _, place in moves:
        if place.is_dir():
            raise IsADirectoryError(21, f"{place.name} is a folder there")
    return moves


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    """Other processes wait, where the file system has locks. The lock goes with the process, however it ends."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes one file; a reader sees the old content or the new one. Makes its folder. Raises RunnelError.

    Names of files in a text may have bytes that are not UTF-8; they are written as they are.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder, not a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with signals_held_back(), tempfile.TemporaryDirectory(prefix=".runnel-", dir=path.parent) as workplace:
            new = Path(workplace) / "new"
            new.write_bytes(content if isinstance(content, bytes) else content.encode(errors="surrogateescape"))
            new.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(target: Path, error: OSError, moved: int = 0) -> RunnelError:
    state = f"{moved} of the files there are new, the others as they were" if moved else "Nothing was changed"
    return RunnelError(
        f"cannot write to {target}: {error.strerror or error}. {state}; choose another place, or make this one writable"
    )
