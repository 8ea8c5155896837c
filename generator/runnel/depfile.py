# SPDX-License-Identifier: Apache-2.0
"""What a build system must watch: the files that decide what `runnel compile` writes, as a Makefile rule."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from runnel.errors import RunnelError
from runnel.resources import resource_root

_NOT_FOR_COMPILING = frozenset({"audio", "build", "kws", "run", "search", "train", "_data", "__pycache__"})
"""Folders of the package that `runnel compile` takes nothing from."""


def generator_files() -> tuple[Path, ...]:
    """Runnel's own files that generated code depends on: modules, templates, the C headers and the board schema."""
    package = Path(__file__).resolve().parent
    own = (p for p in package.rglob("*") if p.suffix in (".py", ".j2") and p.is_file())
    modules = [p for p in own if _NOT_FOR_COMPILING.isdisjoint(p.relative_to(package).parts)]
    root = resource_root()
    include = root / "zephyr_module" / "include" / "runnel"
    headers = [*include.glob("*.h"), *(include / "kernels").rglob("*.h")]
    return (*sorted(modules), *sorted(headers), root / "boards" / "board.schema.json")


def dependency_rule(target: Path, dependencies: Iterable[Path]) -> str:
    """One rule, a dependency on each line, as make, Ninja and CMake read it; all paths absolute.

    Raises RunnelError for a path with a line break, which no rule can hold.
    """
    lines = [f"{_escaped(target)}:", *map(_escaped, dependencies)]
    return " \\\n  ".join(lines) + "\n"


def _escaped(path: Path) -> str:
    text = os.path.abspath(path)  # noqa: PTH100 – resolve() would follow links, and build systems compare names
    if "\n" in text or "\r" in text:
        raise RunnelError(f"{text!r} has a line break in its name, which a depfile cannot hold; rename it")
    return re.sub(r"([ #\t])", r"\\\1", text.replace("$", "$$"))
