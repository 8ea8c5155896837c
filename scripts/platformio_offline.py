# SPDX-License-Identifier: Apache-2.0
"""Makes PlatformIO work where its registry cannot be reached: SCons from PyPI, laid out as its package tool-scons.

Nothing is done when the package is already there, or when the registry answers (PlatformIO fetches it by itself then).
Otherwise the package goes to .cache/platformio/core, and .cache/platformio/offline.ini, which platformio.ini reads,
makes that folder PlatformIO's core folder for this checkout. Nothing outside the checkout is changed.

Run it with a Python that has PlatformIO; scripts/setup does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

try:
    from platformio.dependencies import get_core_dependencies
    from platformio.package.manager.tool import ToolPackageManager
    from platformio.package.meta import PackageMetadata, PackageSpec
    from platformio.package.version import get_original_version

    import platformio
except ImportError:
    sys.exit(f"platformio_offline: PlatformIO is not installed in {sys.executable}; run scripts/setup")

ROOT = Path(__file__).resolve().parent.parent
OFFLINE_CORE = ROOT / ".cache" / "platformio" / "core"
OFFLINE_INI = ROOT / ".cache" / "platformio" / "offline.ini"
REGISTRY = "https://api.registry.platformio.org/v3/packages/platformio/tool/tool-scons"
PROBE_SECONDS = 4.0

OFFLINE_TEXT = """\
; Written by scripts/platformio_offline.py because PlatformIO's registry could not be reached.
; Delete it to go back to your own PlatformIO folder (~/.platformio).
[platformio]
core_dir = .cache/platformio/core
"""

SCONS_PY = """\
# Written by scripts/platformio_offline.py: starts the SCons that lies beside this file.
import sys
from SCons.Script import main
sys.exit(main())
"""


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr)


def registry_answers(url: str = REGISTRY, seconds: float = PROBE_SECONDS) -> bool:
    """Whether PlatformIO's registry gives a sensible answer within `seconds`, name resolution included."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as response:
                answers.append(json.load(response).get("name") == "tool-scons")
        except (OSError, ValueError, AttributeError):
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)  # a hanging name server must not hold us up
    thread.start()
    thread.join(seconds)
    return answers == [True]


def wanted_version() -> str:
    """The version of tool-scons that this PlatformIO asks for, for example 4.41101.0 (SCons 4.11.1)."""
    return get_core_dependencies()["tool-scons"].lstrip("~^=>")


def has_scons(packages: Path) -> bool:
    """Whether PlatformIO finds the package that it wants in `packages`."""
    wanted = PackageSpec(owner="platformio", name="tool-scons", requirements=get_core_dependencies()["tool-scons"])
    package = ToolPackageManager(str(packages)).get_package(wanted)
    return package is not None and (Path(package.path) / "scons.py").is_file()


def core_folder() -> Path:
    """The folder that `pio run` uses in this checkout as things are."""
    chosen = os.environ.get("PLATFORMIO_CORE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    return OFFLINE_CORE if OFFLINE_INI.is_file() else Path.home() / ".platformio"


def install_scons(target: Path) -> None:
    """Puts SCons into `target` with pip. Raises CalledProcessError."""
    exact = get_original_version(wanted_version())
    minor = ".".join(exact.split(".")[:2])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    for requirement in (f"scons=={exact}", f"scons~={minor}.0"):
        command = [*pip, "--no-deps", "--no-compile", "--target", str(target), requirement]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return
    raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)


def lay_out(packages: Path) -> None:
    """Writes packages/tool-scons, whole or not at all."""
    version = wanted_version()
    packages.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tool-scons-", dir=packages) as name:
        stage = Path(name) / "tool-scons"
        stage.mkdir()
        install_scons(stage)
        shutil.rmtree(stage / "bin", ignore_errors=True)
        (stage / "scons.py").write_text(SCONS_PY, encoding="utf-8")
        manifest = {"name": "tool-scons", "version": version, "description": "SCons from PyPI", "system": "*"}
        (stage / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        spec = PackageSpec(owner="platformio", name="tool-scons")
        PackageMetadata("tool", "tool-scons", version, spec).dump(str(stage / ".piopm"))
        # Beside what another version of PlatformIO asked for, as PlatformIO itself does it.
        target = packages / "tool-scons"
        stage.rename(packages / f"tool-scons@{version}" if target.exists() else target)


def write_settings(core: Path) -> None:
    """No welcome, no search for updates: without the network they only cost time."""
    state = core / "appstate.json"
    try:
        content = json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {}
    settings = {"check_platformio_interval": 36500, "enable_telemetry": False}
    content["settings"] = {**settings, **content.get("settings", {})}
    content["last_version"] = platformio.__version__
    state.write_text(json.dumps(content), encoding="utf-8")


def use_offline_core() -> None:
    """Makes PlatformIO use the checkout's own core folder from now on."""
    temporary = OFFLINE_INI.with_suffix(".new")
    temporary.write_text(OFFLINE_TEXT, encoding="utf-8")
    temporary.replace(OFFLINE_INI)


def main() -> int:
    if has_scons(core_folder() / "packages") or registry_answers():
        return 0
    chosen = os.environ.get("PLATFORMIO_CORE_DIR")
    core = core_folder() if chosen else OFFLINE_CORE
    say("PlatformIO's registry cannot be reached: laying out its build tool from PyPI's SCons ...")
    try:
        lay_out(core / "packages")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr[-2000:])
        say("SCons cannot be installed from PyPI either; `pio run` needs one of the two once")
        return 2
    write_settings(core)
    if not chosen:
        use_offline_core()
    say(f"`pio run` works offline now, from {core}; ~/.platformio was left alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
