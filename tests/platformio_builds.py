# SPDX-License-Identifier: Apache-2.0
"""PlatformIO for tests: finds it, keeps its folders apart from the user's, writes projects, runs them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / ".cache" / "platformio" / "test-core"
STAND_IN = ROOT / "tests" / "platformio" / "stand_in"
HOOK = ROOT / "boards" / "platformio" / "runnel.py"


@functools.cache
def pio() -> str:
    """The program, with its build tool laid out in a core folder of the tests. Skips where it cannot be had."""
    beside = Path(sys.executable).with_name("pio")
    found = str(beside) if beside.is_file() else shutil.which("pio")
    if found is None:
        pytest.skip("PlatformIO is not installed: ./scripts/setup installs it into .venv")
    prepared = subprocess.run(
        [interpreter(found), ROOT / "scripts" / "platformio_offline.py"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    if prepared.returncode != 0:
        pytest.skip(f"PlatformIO's build tool cannot be had: {prepared.stderr.strip()}")
    return found


def interpreter(program: str) -> str:
    """The Python that `program` is installed in."""
    first = Path(program).read_bytes().split(b"\n", 1)[0].decode()
    return first.removeprefix("#!").strip() if first.startswith("#!") else sys.executable


def environment(**changes: str) -> dict[str, str]:
    """Nothing goes to ~/.platformio; the generator runs in the Python of the tests."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PLATFORMIO_")}
    quiet = {"PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no", "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true"}
    return {**plain, **quiet, "PLATFORMIO_CORE_DIR": str(CORE), "RUNNEL_PYTHON": sys.executable, **changes}


@dataclass(frozen=True)
class Ran:
    """How `pio` ended and all that it printed."""

    exit_code: int
    output: str

    def lines(self, start: str) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith(start)]


def run_pio(folder: Path, *arguments: str, timeout_s: float = 600, **variables: str) -> Ran:
    """`pio arguments` in `folder`."""
    done = subprocess.run(
        [pio(), *arguments], cwd=folder, env=environment(**variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=timeout_s,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout)


def folders(workspace: Path) -> dict[str, str]:
    """Build and platform folders apart from those of the checkout, which the user may be using."""
    return {"PLATFORMIO_WORKSPACE_DIR": str(workspace), "PLATFORMIO_PLATFORMS_DIR": str(workspace / "platforms")}


def run_repository(workspace: Path, *arguments: str) -> Ran:
    """`pio arguments` in this repository, with build and platform folders of the test's own."""
    return run_pio(ROOT, *arguments, **folders(workspace))


@dataclass(frozen=True)
class Product:
    """A project with the stand-in for ststm32, as somebody outside this repository would write it."""

    folder: Path
    options: dict[str, str] = field(default_factory=dict)

    def write(self, main_c: str, **options: str) -> None:
        """platformio.ini with `options` over the usual ones, and src/main.c."""
        usual = {
            "platform": f"symlink://{STAND_IN}",
            "board": "nucleo_f746zg",
            "lib_deps": f"symlink://{ROOT}",
            "extra_scripts": f"pre:{HOOK}",
        }
        chosen = {**usual, **self.options, **options}
        lines = [f"{key} = {value}" for key, value in chosen.items() if value]
        head = "[platformio]\nplatforms_dir = .pio/platforms\n\n[env:product]\n"
        (self.folder / "platformio.ini").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "src").mkdir(exist_ok=True)
        (self.folder / "src" / "main.c").write_text(main_c, encoding="utf-8")

    def run(self, *arguments: str, **variables: str) -> Ran:
        return run_pio(self.folder, "run", *arguments, **variables)

    @property
    def build(self) -> Path:
        return self.folder / ".pio" / "build" / "product"

    @property
    def elf(self) -> Path:
        return self.build / "firmware.elf"
