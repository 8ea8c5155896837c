# SPDX-License-Identifier: Apache-2.0
"""What happens in a PlatformIO build: compile the models, then hand them to the build as libraries."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import HookError
from .generation import compile_model, share_arena
from .library import forget_others, library_name, write_library
from .options import ModelRequest, Request, read_request
from .python import find_python

_DONE = "RUNNEL_MODELS_ADDED"


def add_models(env: Any) -> None:
    """Compiles the models of the environment and adds them to its build. A mistake ends the build with a message."""
    if env.IsCleanTarget() or env.get(_DONE):
        return
    env[_DONE] = True
    try:
        names = _compile(env)
    except HookError as error:
        _say(f"Error: Runnel: {error}", sys.stderr)
        env.Exit(2)
        return
    env.Append(LIBSOURCE_DIRS=[str(_models_folder(env))])
    _depend_on(env, [library_name(name) for name in names])


def _compile(env: Any) -> list[str]:
    project = Path(env.subst("$PROJECT_DIR"))
    options = {key: str(value) for key, value in env.GetProjectOptions() if key.startswith("custom_runnel_")}
    request = read_request(options, project, env.get("BOARD"))
    models = _models_folder(env)
    names = [model.name for model in request.models] + ([request.shared_arena] if request.shared_arena else [])
    forget_others(models, names)
    python = functools.cache(lambda: find_python(project, request.python))
    for model in request.models:
        _add_model(model, models / model.name, request, python)
    if request.shared_arena:
        _add_shared_arena(request.shared_arena, request, models, python)
    return names


def _add_model(model: ModelRequest, folder: Path, request: Request, python: Callable[[], str]) -> None:
    new = compile_model(model, folder, python)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    _say(
        f"Runnel: {model.name} for {plan['board']}: {plan['arena_bytes']:,} bytes of arena, "
        f"{'compiled' if new else 'up to date'}"
    )
    arena = [] if request.shared_arena else [f"{model.name}_arena.c"]
    write_library(folder, model.name, [f"{model.name}.c", *arena])


def _add_shared_arena(name: str, request: Request, models: Path, python: Callable[[], str]) -> None:
    sections = {model.options.get("arena_section") for model in request.models}
    if len(sections) > 1:
        raise HookError("models that share an arena cannot have different arena_section options")
    plans = [models / model.name / "plan.json" for model in request.models]
    new = share_arena(name, plans, sections.pop(), models / name, python)
    _say(f"Runnel: arena {name} of {', '.join(m.name for m in request.models)}: {'written' if new else 'up to date'}")
    write_library(models / name, name, [f"{name}.c"])


def _models_folder(env: Any) -> Path:
    return Path(env.subst("$BUILD_DIR")).resolve() / "runnel"


def _depend_on(env: Any, names: list[str]) -> None:
    """Adds libraries to those of this build, so that PlatformIO's dependency finder has them in each of its modes."""
    config = env.GetProjectConfig()
    section = f"env:{env['PIOENV']}"
    config.set(section, "lib_deps", [*config.get(section, "lib_deps", []), *names])


def _say(text: str, stream: Any = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")
    (stream or sys.stdout).flush()
