# SPDX-License-Identifier: Apache-2.0
"""One arena for several models that never run at the same time: a C file that takes the place of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import runnel
from runnel.emit.environment import c_environment
from runnel.errors import RunnelError
from runnel.naming import check_name
from runnel.plan.replay import arena_from_json
from runnel.plan.serialise import PlanFileError

_LARGEST_ARENA_BYTES = 2**32 - 1


@dataclass(frozen=True)
class ModelArena:
    """What a shared arena must know of a model: its name, its arena in bytes, the plan.json that says so."""

    model: str
    bytes: int
    file: Path


def read_arena(path: Path) -> ModelArena:
    """What a plan.json says. Raises RunnelError for a file that is no plan."""
    advice = "give the plan.json that `runnel compile` wrote"
    try:
        name, size = arena_from_json(path.read_text(encoding="utf-8"))
        if not 0 < size <= _LARGEST_ARENA_BYTES:
            raise PlanFileError(f"an arena of {size} bytes is none")
        return ModelArena(check_name(name), size, path)
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else "not UTF-8 text"
        raise RunnelError(f"{path}: cannot be read: {reason}; {advice}") from error
    except RunnelError as error:
        raise RunnelError(f"{path}: {error}; {advice}") from error


def emit_shared_arena(name: str, arenas: Sequence[ModelArena], section: str | None = None) -> str:
    """The C file that defines `<name>_arena`, as large as the largest, and the models' arenas as names for its start.

    Raises RunnelError where two models, or a model and the arena, have one name.
    """
    _check_names(name, arenas)
    environment = c_environment()
    return environment.get_template("shared_arena.c.j2").render(
        name=name,
        arenas=arenas,
        bytes=max(arena.bytes for arena in arenas),
        section=section,
        version=runnel.__version__,
    )


def _check_names(name: str, arenas: Sequence[ModelArena]) -> None:
    files: dict[str, Path] = {}
    for arena in arenas:
        if arena.model in files:
            raise RunnelError(
                f"{files[arena.model]} and {arena.file} are both of a model called {arena.model!r}, which one firmware "
                "cannot hold twice; compile one of them with another --name"
            )
        files[arena.model] = arena.file
    if name in files:
        raise RunnelError(f"the shared arena cannot be called {name!r} like the model in {files[name]}; change --name")
    for array in (f"{arena}_arena" for arena in (name, *files)):
        if array in files:
            raise RunnelError(
                f"the model in {files[array]} is called {array!r}, like an array in the C file; compile that model "
                "with another --name"
            )
