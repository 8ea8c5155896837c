# SPDX-License-Identifier: Apache-2.0
"""Runnel's own development platform: tools from PATH where they are installed, from PlatformIO's registry otherwise."""

from __future__ import annotations

import shutil
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any

from platformio.dependencies import get_core_dependencies
from platformio.exception import ReturnErrorCode, UserSideException
from platformio.package.meta import PackageSpec
from platformio.platform.base import PlatformBase

COMPILER = "arm-none-eabi-gcc"
OPENOCD = "openocd"

EXIT_CODE_FILE = "qemu-exit-code"
"""In the environment's build folder, written by runnel_platformio/emulator.py."""

_TOOLCHAIN = "toolchain-gccarmnoneeabi"
_OPENOCD = "tool-openocd"
_SCONS = "tool-scons"

_REGISTRY_HOST = "api.registry.platformio.org"
_PROBE_SECONDS = 4.0

_NEEDS = {
    _TOOLCHAIN: f"{COMPILER}, the cross compiler, is not on PATH. On Debian or Ubuntu:\n"
    "  sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    _OPENOCD: "openocd, which talks to the ST-LINK, is not on PATH. On Debian or Ubuntu:\n"
    "  sudo apt-get install openocd",
    _SCONS: "PlatformIO's build tool (tool-scons) is not installed. With access to PyPI, in a checkout of "
    "Runnel:\n  ./scripts/setup\n"
    "For a project elsewhere set PLATFORMIO_CORE_DIR=<checkout>/.cache/platformio/core as well.",
}


class RunnelPlatform(PlatformBase):
    """See platform.json."""

    def configure_default_packages(self, options: dict[str, Any], targets: list[str]) -> None:
        """Asks for the registry's packages only where nothing on PATH does their work."""
        emulated = "board" in options and self.board_config(options["board"]).get("build.emulated", False)
        flashes = not emulated and any(target in ("upload", "debug") for target in targets)
        self.packages[_TOOLCHAIN]["optional"] = shutil.which(COMPILER) is not None
        self.packages[_OPENOCD]["optional"] = not flashes or shutil.which(OPENOCD) is not None
        self._refuse_to_wait()

    def _refuse_to_wait(self) -> None:
        """Says what is missing where PlatformIO would try for a minute to download it."""
        missing = [n for n, p in self.packages.items() if not p.get("optional") and self.get_package(n) is None]
        scons = PackageSpec(owner="platformio", name=_SCONS, requirements=get_core_dependencies()[_SCONS])
        if self.pm.get_package(scons) is None:
            missing.append(_SCONS)
        if missing and not registry_answers():
            reasons = "\n".join(_NEEDS[name] for name in missing)
            raise UserSideException(f"{reasons}\n(PlatformIO's registry, which has it too, cannot be reached.)")

    def run(self, variables: dict[str, Any], targets: list[str], *others: Any) -> Any:
        """As PlatformIO does it, but `-t qemu` ends with the firmware's exit code instead of 1."""
        code_file = Path(self.config.get("platformio", "build_dir")) / variables["pioenv"] / EXIT_CODE_FILE
        code_file.unlink(missing_ok=True)
        result = super().run(variables, targets, *others)
        code = code_file.read_text(encoding="utf-8") if code_file.is_file() else "0"
        if result["returncode"] != 0 and code != "0":
            raise ReturnErrorCode(code)
        return result

    def get_boards(self, id_: str | None = None) -> Any:
        """Boards with their debug tools."""
        boards = super().get_boards(id_)
        for board in [boards] if id_ else boards.values():
            debug = board.manifest["debug"]
            debug["tools"] = _qemu(debug["qemu_machine"]) if "qemu_machine" in debug else self._stlink(debug)
        return boards

    def _stlink(self, debug: dict[str, Any]) -> dict[str, Any]:
        arguments = [word for file in debug["openocd"] for word in ("-f", file)]
        installed = shutil.which(OPENOCD)
        if installed is not None and self.get_package(_OPENOCD) is None:
            server = {"executable": installed, "arguments": arguments}
        else:
            scripts = ["-s", "$PACKAGE_DIR/openocd/scripts", "-s", "$PACKAGE_DIR/scripts"]
            server = {"package": _OPENOCD, "executable": "bin/openocd", "arguments": [*scripts, *arguments]}
        return {"stlink": {"onboard": True, "default": True, "server": server}}

    def configure_debug_session(self, debug_config: Any) -> None:
        """debug_speed is the adapter's, in kHz."""
        if debug_config.speed and debug_config.tool_name == "stlink":
            debug_config.server["arguments"] += ["-c", f"adapter speed {debug_config.speed}"]


def _qemu(machine: str) -> dict[str, Any]:
    """QEMU as a debug server, halted before the first instruction."""
    arguments = ["-machine", machine, "-display", "none", "-monitor", "none", "-serial", "none"]
    arguments += ["-chardev", "stdio,id=console", "-semihosting-config", "enable=on,target=native,chardev=console"]
    arguments += ["-kernel", "$PROG_PATH", "-S", "-gdb", "tcp::3333"]
    server = {"executable": "qemu-system-arm", "arguments": arguments}
    return {"qemu": {"onboard": True, "default": True, "server": server, "load_cmds": ["preload"], "port": ":3333"}}


def registry_answers() -> bool:
    """Whether the registry's host takes a connection, without waiting long for name servers either.

    Behind a proxy that cannot be seen from here: then PlatformIO shall try.
    """
    if urllib.request.getproxies().get("https"):
        return True
    answers: list[bool] = []

    def ask() -> None:
        try:
            socket.create_connection((_REGISTRY_HOST, 443), timeout=_PROBE_SECONDS).close()
            answers.append(True)
        except OSError:
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return answers == [True]
