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
    """A rule, a dependency on each line, then an empty rule for each, as make, Ninja and CMake read them.

    The target stays as it is given, like a compiler's: make and Ninja take net/net.c and its absolute path for two
    files. The dependencies become absolute. Their empty rules keep make from stopping when one is gone, a module of
    an older Runnel for example. Raises RunnelError for a path with a line break, which no rule can hold.
    """
    # resolve() would follow links, and build systems compare names.
    paths = [_escaped(os.path.abspath(path)) for path in dependencies]  # noqa: PTH100
    rule = " \\\n  ".join([f"{_escaped(str(target))}:", *paths])
    return "\n".join([rule, *(f"{path}:" for path in paths), ""])


def _escaped(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise RunnelError(f"{text!r} has a line break in its name, which a depfile cannot hold; rename it")
    return re.sub(r"([ #\t])", r"\\\1", text.replace("$", "$$"))
