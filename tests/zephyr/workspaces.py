# SPDX-License-Identifier: Apache-2.0
"""Zephyr workspaces on this machine: find them, build an app with west, run it in QEMU or as a native program.

    @each_workspace
    def test_it(workspace, tmp_path):
        built = build(workspace, ROOT / "apps" / "vww", "mps2_an385", tmp_path / "build")
        ran = run(built, until=r"^selftest: ok$")
        assert ran.exit_code == 0            # None where the line `until` stopped it

Boards are named as in Zephyr 3.5; `board_name` knows what newer trees call them. Nothing here writes into a workspace.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from runnel.run.process import run_program

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
"""Has the generator's packages; the workspaces' own environments usually do not."""

NO_WORKSPACE = (
    "no Zephyr workspace: neither $ZEPHYR_BASE nor ~/zephyrproject*/ has a zephyr tree with west (see docs/zephyr.md)"
)

# Names since Zephyr 3.7 (hardware model v2), and the QEMU machine where there is one.
_NEW_NAMES = {
    "mps2_an385": "mps2/an385",
    "mps2_an386": "mps2/an386",
    "mps2_an500": "mps2/an500",
    "mps2_an521": "mps2/an521/cpu0",
    "mps3_an547": "mps3/corstone300/an547",
    "native_sim": "native_sim/native",
    "native_sim_64": "native_sim/native/64",
}
_MACHINES = {
    "mps2_an385": "mps2-an385",
    "mps2_an386": "mps2-an386",
    "mps2_an500": "mps2-an500",
    "mps2_an521": "mps2-an521",
    "mps3_an547": "mps3-an547",
}


@dataclass(frozen=True)
class Workspace:
    """A tree of Zephyr, and the command that starts west for it."""

    base: Path
    west: tuple[str, ...]
    version: tuple[int, int, int]

    @property
    def root(self) -> Path:
        return self.base.parent

    @property
    def name(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def has_new_board_names(self) -> bool:
        return self.version >= (3, 7, 0)


@dataclass(frozen=True)
class Build:
    """What `west build` left: `code` is its exit code, `output` all it printed."""

    workspace: Workspace
    board: str
    folder: Path
    code: int
    output: str

    @property
    def program(self) -> Path:
        """The ELF, or the executable of native_sim."""
        name = "zephyr.exe" if self.board.startswith("native_") else "zephyr.elf"
        return self.folder / "zephyr" / name

    def config(self, name: str) -> str | None:
        """The value of a Kconfig symbol: `config("FPU")` is "y"; None where it is not set."""
        text = (self.folder / "zephyr" / ".config").read_text(encoding="utf-8")
        found = re.search(rf"^CONFIG_{name}=(.*)$", text, re.MULTILINE)
        return found[1].strip('"') if found else None


@dataclass(frozen=True)
class Run:
    """What a program printed; `exit_code` is None when it was stopped at the awaited line."""

    exit_code: int | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@functools.cache
def find_workspaces() -> tuple[Workspace, ...]:
    """$ZEPHYR_BASE first, then ~/zephyrproject*/zephyr; those that west can be started for, oldest version first."""
    named = os.environ.get("ZEPHYR_BASE")
    bases = [Path(named)] if named else []
    bases += sorted(Path.home().glob("zephyrproject*/zephyr"))
    found = {}
    for base in bases:
        version, west = _version(base), _west(base.parent)
        if version is not None and west is not None:
            found.setdefault(base.resolve(), Workspace(base.resolve(), west, version))
    return tuple(sorted(found.values(), key=lambda w: w.version))


def _version(base: Path) -> tuple[int, int, int] | None:
    try:
        text = (base / "VERSION").read_text(encoding="utf-8")
    except OSError:
        return None
    numbers = dict(re.findall(r"^(\w+) *= *(\d+)", text, re.MULTILINE))
    return (int(numbers["VERSION_MAJOR"]), int(numbers["VERSION_MINOR"]), int(numbers["PATCHLEVEL"]))


def _west(root: Path) -> tuple[str, ...] | None:
    python = root / ".venv" / "bin" / "python"
    if (python.parent / "west").is_file():
        return (str(python), "-m", "west")
    west = shutil.which("west")
    return None if west is None else (west,)


def _parameters() -> list[object]:
    if not find_workspaces():
        return [pytest.param(None, id="none", marks=pytest.mark.skip(reason=NO_WORKSPACE))]
    return [pytest.param(w, id=f"zephyr-{w.name}") for w in find_workspaces()]


each_workspace = pytest.mark.parametrize("workspace", _parameters())
"""Runs a test once for every workspace, with the argument `workspace`; skipped with the reason where there is none."""


def board_name(workspace: Workspace, board: str) -> str:
    """`board` (a name of Zephyr 3.5) as this tree calls it."""
    return _NEW_NAMES.get(board, board) if workspace.has_new_board_names else board


def has_board(workspace: Workspace, board: str) -> bool:
    """Whether this tree has the board."""
    first = board_name(workspace, board).split("/")[0].removesuffix("_64")
    return any((workspace.base / "boards").glob(f"*/{first}"))


def environment(workspace: Workspace, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables for west: Debian's cross compiler where no toolchain is chosen, and no other tree's settings."""
    result = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "PYTHON", "ZEPHYR_BASE"))}
    result["PATH"] = os.pathsep.join([str(Path(workspace.west[0]).parent), os.environ["PATH"]])
    result["ZEPHYR_BASE"] = str(workspace.base)
    compiler = shutil.which("arm-none-eabi-gcc")
    if "ZEPHYR_TOOLCHAIN_VARIANT" not in result and compiler is not None:
        result["ZEPHYR_TOOLCHAIN_VARIANT"] = "gnuarmemb"
        result["GNUARMEMB_TOOLCHAIN_PATH"] = str(Path(compiler).parent.parent)
    result["RUNNEL_PYTHON"] = str(PYTHON)
    result.update(extra or {})
    return result


def build(
    workspace: Workspace,
    app: Path,
    board: str | None,
    folder: Path,
    *,
    module: Path = ROOT,
    options: Iterable[str] = (),
    cmake: Iterable[str] = (),
    variables: Mapping[str, str] | None = None,
    check: bool = True,
    timeout_s: float = 600,
) -> Build:
    """`west build` of `app` for `board` (None: the app chooses) with `module`, this repository, as a Zephyr module.

    `options` are west's (--sysbuild), `cmake` CMake's (-DEXTRA_CONF_FILE=…); `variables` go into the environment.
    With `check` a build that fails is an AssertionError that shows the end of its output.
    """
    command = [*workspace.west, "build", "-d", str(folder), str(app)]
    if board is not None:
        command += ["-b", board_name(workspace, board)]
    command += [*options, "--", f"-DZEPHYR_EXTRA_MODULES={module}", *cmake]
    return _west_build(workspace, board or "", folder, command, variables, check, timeout_s)


def rebuild(built: Build, *, variables: Mapping[str, str] | None = None, check: bool = True) -> Build:
    """`west build` once more in the same folder."""
    command = [*built.workspace.west, "build", "-d", str(built.folder)]
    return _west_build(built.workspace, built.board, built.folder, command, variables, check, 600)


def _west_build(
    workspace: Workspace,
    board: str,
    folder: Path,
    command: list[str],
    variables: Mapping[str, str] | None,
    check: bool,
    timeout_s: float,
) -> Build:
    done = subprocess.run(
        command, cwd=workspace.root, env=environment(workspace, variables), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout_s,
    )  # fmt: skip
    if check and done.returncode != 0:
        shown = "\n".join(done.stdout.splitlines()[-60:])
        raise AssertionError(f"{shlex.join(command)} failed with {done.returncode}:\n{shown}")
    return Build(workspace, board, folder, done.returncode, done.stdout)


def words(text: str) -> str:
    """Text without its line breaks and indentation: CMake wraps messages where it likes."""
    return " ".join(text.split())


def can_run(board: str) -> str | None:
    """None when programs for `board` run here, otherwise the reason why not."""
    if board.startswith("native_sim"):
        return None
    if board not in _MACHINES:
        return f"there is no emulator for {board}"
    return None if shutil.which("qemu-system-arm") else "qemu-system-arm is not installed"


class _Stop(Exception):
    """The awaited line was printed."""


def run(
    built: Build,
    *,
    until: str | None = None,
    directory: Path | None = None,
    timeout_s: float = 120,
    arguments: Iterable[str] = (),
) -> Run:
    """Runs the program in `directory` (the build folder) until it exits or prints a line that matches `until`.

    Semihosting is on: the program may open files in `directory` and exit with a code. `arguments` go to QEMU or to
    the native program. Raises RunError when it is still running after `timeout_s` seconds.
    """
    lines: list[str] = []

    def follow(line: str) -> None:
        lines.append(line)
        if until is not None and re.search(until, line):
            raise _Stop

    command = (*_command(built), *arguments)
    try:
        finished = run_program(command, directory or built.folder, timeout_s=timeout_s, on_line=follow)
    except _Stop:
        return Run(None, tuple(lines))
    return Run(finished.exit_code, finished.lines)


def _command(built: Build) -> tuple[str, ...]:
    if built.board.startswith("native_sim"):
        return (str(built.program),)
    return (
        "qemu-system-arm", "-machine", _MACHINES[built.board], "-display", "none", "-monitor", "none", "-net", "none",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-semihosting-config", "enable=on,target=native", "-kernel", str(built.program),
    )  # fmt: skip
