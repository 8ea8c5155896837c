# SPDX-License-Identifier: Apache-2.0
"""Starts the generator of this checkout with any Python, installed or not; a build system calls it.

    python generator.py compile person.tflite …      as `runnel compile person.tflite …`
    python generator.py --check [BOARD]              can this Python run it, which board is it? Says what to do.

The check runs on old Pythons and without any package: it is what tells that they are too old, or missing.
"""

# ruff: noqa: T201 – it is a program: what it prints is its answer

import re
import sys
from importlib import metadata
from pathlib import Path

_MODULE = Path(__file__).resolve().parent.parent
_REQUIREMENTS = _MODULE / "requirements.txt"
_OLDEST_PYTHON = (3, 10)


def _missing_packages():
    """Names of requirements.txt that this Python does not have, in its order."""
    missing = []
    for line in _REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name = re.match(r"[A-Za-z0-9._-]*", line).group()
        if not name:
            continue
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def _check(boards):
    """Exit code 0 after the names of the boards; 2 where Python does not do, 3 where a board is unknown."""
    if sys.version_info[:2] < _OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"it is Python {found}; Runnel needs {'.'.join(map(str, _OLDEST_PYTHON))} or later")
        return 2
    missing = _missing_packages()
    if missing:
        print(f"it has no {', '.join(missing)}; install what is missing with\n")
        print(f'      "{sys.executable}" -m pip install -r "{_REQUIREMENTS}"\n')
        return 2
    return _check_boards(boards) if boards else 0


def _check_boards(boards):
    from runnel.boards import load_board
    from runnel.errors import RunnelError

    try:
        for board in boards:
            print(load_board(board).name)
    except RunnelError as error:
        print(error)
        return 3
    return 0


def _main():
    sys.path.insert(0, str(_MODULE.parent / "generator"))
    if sys.argv[1:2] == ["--check"]:
        return _check(sys.argv[2:])
    from runnel.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_main())
