# SPDX-License-Identifier: Apache-2.0
"""Writes a folder whole or not at all: files are made in a temporary folder beside it and moved when complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.errors import RunnelError


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Yields an empty folder; when the block ends without an error its files are moved to `target`.

    A new target appears with one rename. In an existing one files of the same names are replaced, each with one
    rename; all other files stay. After an error the target is as it was. Raises RunnelError where it cannot write.
    """
    try:
        stage = _make_stage(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield stage
        try:
            _publish(stage, target)
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


def _publish(stage: Path, target: Path) -> None:
    if not target.exists():
        stage.chmod(0o755)  # mkdtemp makes it private
        stage.rename(target)
        return
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    for path in files:
        place = target / path.relative_to(stage)
        if place.is_dir():
            raise IsADirectoryError(21, f"{place.name} is a folder there")
    for path in files:
        place = target / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _cannot_write(target: Path, error: OSError) -> RunnelError:
    return RunnelError(
        f"cannot write to {target}: {error.strerror or error}. Nothing was changed; "
        "choose another folder with -o, or make this one writable"
    )
