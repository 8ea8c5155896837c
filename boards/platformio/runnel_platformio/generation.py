# SPDX-License-Identifier: Apache-2.0
"""Runs the generator when its last output is out of date, and only then."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .errors import HookError
from .options import ModelRequest
from .python import GENERATOR, environment

STAMP = "platformio-stamp.json"
_DEPFILE = "dependencies.d"
_TIMEOUT_S = 900


def compile_model(model: ModelRequest, folder: Path, python: Callable[[], str]) -> bool:
    """Compiles `model` into `folder` unless what lies there is its newest output; whether that was necessary.

    Raises HookError with the generator's own message.
    """
    arguments = ["compile", str(model.file), "--name", model.name]
    for key, value in sorted(model.options.items()):
        arguments += [f"--{key.replace('_', '-')}", value]
        if key in ("sram", "flash"):
            arguments += [f"--{key}-from", "platformio.ini"]
    outputs = [folder / f"{model.name}{end}" for end in (".c", ".h", "_arena.c")] + [folder / "plan.json"]
    if _is_fresh(folder, arguments, outputs):
        return False
    depfile = folder / _DEPFILE
    (folder / STAMP).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    _run(python(), [*arguments, "-o", str(folder), "--depfile", str(depfile), "--quiet"], f"model {model.name}")
    _write_stamp(folder, arguments, [model.file, *_dependencies(depfile.read_text(encoding="utf-8"))])
    return True


def share_arena(name: str, plans: Sequence[Path], section: str | None, folder: Path, python: Callable[[], str]) -> bool:
    """Writes the one arena of several models, `folder`/`name`.c, when it is out of date. Raises HookError."""
    arguments = ["arena", *map(str, plans), "--name", name, *(("--section", section) if section else ())]
    source = folder / f"{name}.c"
    if _is_fresh(folder, arguments, [source]):
        return False
    (folder / STAMP).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    _run(python(), [*arguments, "-o", str(source)], f"shared arena {name}")
    _write_stamp(folder, arguments, plans)
    return True


def _run(python: str, arguments: Sequence[str], what: str) -> None:
    # In the generator's folder: a file runnel.py of the project must not be taken for the package.
    try:
        done = subprocess.run(
            [python, "-m", "runnel", *arguments], cwd=GENERATOR, env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HookError(f"{what}: the generator took more than {_TIMEOUT_S} s") from None
    except OSError as error:
        raise HookError(f"{what}: {python} does not start: {error.strerror}") from None
    if done.returncode != 0:
        raise HookError(f"{what}: {_message(done.stderr) or f'the generator ended with code {done.returncode}'}")


def _message(output: str) -> str:
    """What the generator said, without a traceback."""
    text = output.strip()
    if text.startswith("Traceback"):
        return f"the generator does not start: {text.splitlines()[-1]}"
    if "unknown board '" in text:
        text += " (custom_runnel_board in platformio.ini says which one to take)"
    return text.removeprefix("runnel: ")


def _state(files: Iterable[Path]) -> dict[str, list[int]]:
    """Time of change (ns) and size of each file; a file that is not there has none."""
    state = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        state[str(file)] = [status.st_mtime_ns, status.st_size]
    return state


def _is_fresh(folder: Path, arguments: Sequence[str], outputs: Iterable[Path]) -> bool:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        inputs = stamp["inputs"]
    except (OSError, ValueError, KeyError):
        return False
    same = stamp.get("arguments") == list(arguments) and _state(map(Path, inputs)) == inputs
    return same and all(path.is_file() for path in outputs)


def _write_stamp(folder: Path, arguments: Sequence[str], inputs: Iterable[Path]) -> None:
    stamp = {"arguments": list(arguments), "inputs": _state(inputs)}
    temporary = folder / f"{STAMP}.new"
    temporary.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    temporary.replace(folder / STAMP)


def _dependencies(rule: str) -> list[Path]:
    """The files on the right side of a Makefile rule."""
    _, _, files = rule.replace("\\\n", " ").partition(": ")
    words = re.findall(r"(?:\\.|[^\s\\])+", files.split("\n", 1)[0])
    return [Path(re.sub(r"\\(.)", r"\1", word).replace("$$", "$")) for word in words]
