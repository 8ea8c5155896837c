# SPDX-License-Identifier: Apache-2.0
"""Which Python runs the generator: PlatformIO's own need not have the packages for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import HookError

ROOT = Path(__file__).resolve().parents[3]
"""Of Runnel: the repository, or the library as PlatformIO installed it."""

GENERATOR = ROOT / "generator"

_CHECK = "import sys; sys.version_info >= (3, 10) or sys.exit('Runnel needs Python 3.10 or later'); import runnel.cli"
_TIMEOUT_S = 120


def environment() -> dict[str, str]:
    """The environment in which a Python finds the generator that belongs to this hook, and nothing of PlatformIO's."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONSTARTUP")}
    return {**inherited, "PYTHONPATH": str(GENERATOR), "PYTHONIOENCODING": "utf-8"}


def find_python(project: Path, chosen: str | None) -> str:
    """A Python that can run the generator.

    `chosen` (custom_runnel_python) or $RUNNEL_PYTHON where given; else the first of PlatformIO's own, `project`'s .venv
    and Runnel's .venv that has the packages. Raises HookError saying what to install.
    """
    named = chosen or os.environ.get("RUNNEL_PYTHON")
    if named:
        problem = problem_with(named)
        if problem is None:
            return named
        whose = "custom_runnel_python in platformio.ini" if chosen else "RUNNEL_PYTHON"
        raise HookError(f"{named} ({whose}) cannot run Runnel's generator: {problem}.\n{_advice(named)}")
    tried = []
    for candidate in _candidates(project):
        problem = problem_with(candidate)
        if problem is None:
            return candidate
        tried.append(f"  {candidate}: {problem}")
    listed = "\n".join(tried)
    raise HookError(
        f"no Python here has the packages of Runnel's generator. Tried:\n{listed}\n{_advice(sys.executable)}"
    )


def _candidates(project: Path) -> list[str]:
    folders = [project / ".venv", ROOT / ".venv"]
    inside = [folder / place for folder in folders for place in ("bin/python", "Scripts/python.exe")]
    found = [sys.executable, *(str(path) for path in inside if path.is_file())]
    return list(dict.fromkeys(found))


def _advice(python: str) -> str:
    packages = ROOT / "zephyr_module" / "requirements.txt"
    return (
        f"Install them:\n  {python} -m pip install -r {packages}\n"
        "or name a Python that has them in the environment variable RUNNEL_PYTHON "
        "(in a checkout of Runnel, ./scripts/setup makes .venv, which is found by itself)"
    )


def problem_with(python: str) -> str | None:
    """Why `python` cannot run the generator, or None."""
    if shutil.which(python) is None:
        return "there is no such program"
    try:
        done = subprocess.run(
            [python, "-c", _CHECK], cwd=GENERATOR, env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not start ({error})"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ended with code {done.returncode}"
