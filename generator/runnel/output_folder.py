# SPDX-License-Identifier: Apache-2.0
"""Writes folders and files whole or not at all: they are made beside their place and moved there when complete."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.errors import RunnelError


@contextmanager
def staged_folder(target: Path, last: str = "") -> Iterator[Path]:
    """Yields an empty folder; when the block ends without an error its files are moved to `target`.

    A new target appears with one rename. In an existing one files of the same names are replaced, each with one
    rename; all other files stay. After an error the target is as it was. Raises RunnelError where it cannot write.

    last: the file to move last, even where its content is the old one. A build system that compares its time with
    those of the inputs then starts again after an interruption.
    """
    try:
        stage = _make_stage(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield stage
        try:
            _publish(stage, target, last)
        except OSError as error:
            raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _make_stage(target: Path) -> Path:
    if target.is_dir():
        # Inside: the target may be a mount point, and renames work only within one file system.
        return Path(tempfile.mkdtemp(prefix=".runnel-", dir=target))
    if target.exists():
        raise NotADirectoryError(20, "it is a file, not a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))


def _publish(stage: Path, target: Path, last: str) -> None:
    if not target.exists():
        stage.chmod(0o755)  # mkdtemp makes it private
        stage.rename(target)
        return
    files = sorted((p for p in stage.rglob("*") if p.is_file()), key=lambda p: (p == stage / last, p))
    for path in files:
        place = target / path.relative_to(stage)
        if place.is_dir():
            raise IsADirectoryError(21, f"{place.name} is a folder there")
    for path in files:
        place = target / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def write_whole(path: Path, text: str) -> None:
    """Writes one file; a reader sees the old text or the new one. Makes its folder. Raises RunnelError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".runnel-", delete=False
        ) as new:
            try:
                new.write(text)
                new.close()
                Path(new.name).chmod(0o644)  # NamedTemporaryFile makes it private
                Path(new.name).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(new.name).unlink()
                raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(target: Path, error: OSError) -> RunnelError:
    return RunnelError(
        f"cannot write to {target}: {error.strerror or error}. Nothing was changed; "
        "choose another place, or make this one writable"
    )
