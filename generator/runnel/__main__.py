# SPDX-License-Identifier: Apache-2.0
"""`python -m runnel` is the command `runnel`.

Build systems call it with a Python of theirs, PYTHONPATH=generator and no installation. That Python may be too old or
lack packages, so nothing here needs either.
"""

import sys

OLDEST_PYTHON = (3, 10)
USER_ERROR = 2
INTERRUPTED = 130


def start() -> None:
    """Runs the command; says in one line which Python or which package is missing."""
    if sys.version_info < OLDEST_PYTHON:
        _fail(f"needs Python 3.10 or later; {sys.executable} is {sys.version.split()[0]}")
    try:
        from runnel.cli import main
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "runnel":
            raise
        _fail(
            f"the Python package {error.name!r} is missing in {sys.executable}; install what Runnel needs with\n"
            f"  {sys.executable} -m pip install {_requirements()}"
        )
    main()


def _requirements() -> str:
    """What to give to pip: the list of packages in a checkout, else Runnel itself, which pulls them in."""
    from pathlib import Path

    listed = Path(__file__).resolve().parent.parent.parent / "zephyr_module" / "requirements.txt"
    return f"-r {listed}" if listed.is_file() else "runnel"


def _fail(message: str) -> None:
    sys.stderr.write(f"runnel: {message}\n")
    sys.exit(USER_ERROR)


if __name__ == "__main__":
    start()
