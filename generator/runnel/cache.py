# SPDX-License-Identifier: Apache-2.0
"""Where builds are kept between runs: one folder for each set of generated sources and board."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.errors import RunnelError
from runnel.resources import resource_root

KEPT_BUILDS = 100
"""Folders; one is a few MB. The least recently used go first."""


def cache_root() -> Path:
    """$RUNNEL_CACHE, else `.cache` in a checkout, else the user's cache folder."""
    chosen = os.environ.get("RUNNEL_CACHE")
    if chosen:
        return Path(chosen)
    root = resource_root()
    if root.name != "_data" and os.access(root, os.W_OK):
        return root / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runnel"


def digest_of(folder: Path) -> str:
    """The same for folders with the same files and contents."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


@contextmanager
def build_folder(sources: Path, label: str) -> Iterator[Path]:
    """A folder that belongs to the caller during the block: `sources` moved to its subfolder `sources`.

    The same sources and label give the same folder, with what earlier builds left in it.
    """
    folder = cache_root() / "build" / f"{label}-{digest_of(sources)[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        with _locked(folder):
            if not (folder / "sources").is_dir():
                shutil.move(sources, folder / "sources.new")
                (folder / "sources.new").rename(folder / "sources")
            yield folder
        _forget_old(folder.parent)
    except OSError as error:
        raise RunnelError(
            f"cannot keep builds in {folder.parent}: {error.strerror or error}; set RUNNEL_CACHE to a writable folder"
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two processes that build the same thing (tests do) take turns. Without fcntl (Windows) they do not."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_old(builds: Path) -> None:
    newest_first = sorted((p for p in builds.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in newest_first[KEPT_BUILDS:]:
        shutil.rmtree(folder, ignore_errors=True)
