# SPDX-License-Identifier: Apache-2.0
"""What platformio.ini says about models."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import HookError

MODELS_OPTION = "custom_runnel_models"

# Options of `runnel compile` that a line of custom_runnel_models, or custom_runnel_<name> for all lines, may set.
COMPILE_OPTIONS = (
    "board", "sram", "flash", "objective", "edges", "arena_section", "input", "input_passes", "max_overhead",
)  # fmt: skip

_VALUES = {
    "objective": (r"sram|latency|flash", "sram, latency or flash"),
    "edges": (r"int8|original", "int8 or original"),
    "input": (r"stored|pulled", "stored or pulled"),
    "input_passes": (r"[1-9][0-9]*", "how many times the input may be asked for: 1 or more"),
    "max_overhead": (r"[0-9]+(\.[0-9]+)?%?", "a number of percent, like 10"),
}
"""What the value of an option looks like, as a regular expression and in words."""

_EXAMPLE = f"{MODELS_OPTION} =\n    person = models/person.tflite"


@dataclass(frozen=True)
class ModelRequest:
    """One model to compile: its C name, its file, and options of `runnel compile` by name."""

    name: str
    file: Path
    options: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """All that a project asks for. `shared_arena`: the name of the one arena of all models, or None."""

    models: tuple[ModelRequest, ...]
    shared_arena: str | None
    python: str | None


def read_request(options: Mapping[str, str], project: Path, board: str | None) -> Request:
    """The request in the custom_runnel_* `options` of an environment that builds for PlatformIO's `board`.

    Relative paths are relative to `project`. Raises HookError with the line that is wrong.
    """
    known = {MODELS_OPTION, "custom_runnel_shared_arena", "custom_runnel_python"}
    known |= {f"custom_runnel_{name}" for name in COMPILE_OPTIONS}
    for option in options:
        if option.startswith("custom_runnel_") and option not in known:
            raise HookError(f"platformio.ini: unknown option {option}; known: {', '.join(sorted(known))}")
    lines = [line.strip() for line in options.get(MODELS_OPTION, "").splitlines()]
    defaults = {name: options.get(f"custom_runnel_{name}", "").strip() for name in COMPILE_OPTIONS}
    defaults["board"] = defaults["board"] or board or ""
    models = tuple(_read_line(line, defaults, project) for line in lines if line)
    if not models:
        raise HookError(f"platformio.ini names no model. Add lines like this to the environment:\n{_EXAMPLE}")
    _check_names(models, options.get("custom_runnel_shared_arena", "").strip() or None)
    return Request(
        models=models,
        shared_arena=options.get("custom_runnel_shared_arena", "").strip() or None,
        python=options.get("custom_runnel_python", "").strip() or None,
    )


def _read_line(line: str, defaults: Mapping[str, str], project: Path) -> ModelRequest:
    """`name = file option=value …`, in quotes where there are spaces."""
    match = re.fullmatch(r"([A-Za-z]\w*)\s*=\s*(.+)", line)
    try:
        words = shlex.split(match[2]) if match else []
    except ValueError as error:
        raise HookError(f"platformio.ini: {MODELS_OPTION}: {line!r}: {error}") from None
    if match is None or not words:
        raise HookError(
            f"platformio.ini: {MODELS_OPTION}: {line!r} is not understood; write the model's name in C, an equals sign "
            f"and its file, then options if any:\n{_EXAMPLE} sram=64K objective=latency"
        )
    options = dict(defaults)
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or key not in COMPILE_OPTIONS:
            raise HookError(
                f"platformio.ini: {MODELS_OPTION}: {match[1]}: {word!r} is not understood; possible are "
                f"{', '.join(f'{name}=…' for name in COMPILE_OPTIONS)}; a file name with spaces needs quotes"
            )
        options[key] = value
    return _checked(ModelRequest(match[1], _absolute(words[0], project), _resolved(options, project)))


def _absolute(path: str, project: Path) -> Path:
    return project / Path(path).expanduser()


def _resolved(options: Mapping[str, str], project: Path) -> dict[str, str]:
    """Without empty values; the path of a board file made absolute."""
    given = {key: value for key, value in options.items() if value}
    if given.get("board", "").endswith((".yaml", ".yml")):
        given["board"] = str(_absolute(given["board"], project))
    return given


def _checked(model: ModelRequest) -> ModelRequest:
    for key, (pattern, words) in _VALUES.items():
        value = model.options.get(key)
        if value is not None and not re.fullmatch(pattern, value):
            raise HookError(f"model {model.name}: {key} = {value} in platformio.ini is not understood; it is {words}")
    if "input_passes" in model.options and model.options.get("input") != "pulled":
        raise HookError(
            f"model {model.name}: input_passes in platformio.ini is for an input that is asked for; add input = pulled "
            "or leave it out"
        )
    if not model.file.is_file():
        raise HookError(f"model {model.name}: there is no file {model.file} ({MODELS_OPTION} in platformio.ini)")
    if "board" not in model.options:
        raise HookError(
            f"model {model.name}: for which board? Set `board` or custom_runnel_board in platformio.ini; "
            "`runnel boards` lists the names, and the path of a board file of yours works too"
        )
    return model


def _check_names(models: tuple[ModelRequest, ...], shared_arena: str | None) -> None:
    seen: dict[str, Path] = {}
    for model in models:
        if model.name in seen:
            raise HookError(
                f"platformio.ini: {MODELS_OPTION}: two models are called {model.name}: {seen[model.name]} and "
                f"{model.file}. The name becomes C functions ({model.name}_run): give each model one of its own"
            )
        seen[model.name] = model.file
    if shared_arena is not None and shared_arena in seen:
        raise HookError(
            f"platformio.ini: custom_runnel_shared_arena: {shared_arena} is the name of a model too; choose another"
        )
