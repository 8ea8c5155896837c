# SPDX-License-Identifier: Apache-2.0
"""Builds bare-metal firmware with the generator's flags and linker script; targets upload and qemu."""

import sys

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
platform = env.PioPlatform()
board = env.BoardConfig()
sys.path.insert(0, platform.get_dir())

from runnel_platformio.emulator import add_qemu_target  # noqa: E402
from runnel_platformio.errors import HookError  # noqa: E402
from runnel_platformio.firmware import firmware_settings, use_settings  # noqa: E402
from runnel_platformio.upload import add_upload_target  # noqa: E402

try:
    settings = firmware_settings(env, board.id)
except HookError as error:
    sys.stderr.write(f"Error: Runnel: {error}\n")
    env.Exit(2)

use_settings(env, settings)
if "test" in env["BUILD_TYPE"]:
    env.Append(SRC_FILTER=["-<*/src/main.c>"])  # the test has a main() of its own
program = env.BuildProgram()
Default([env.Alias("buildprog", program), "checkprogsize"])
AlwaysBuild(env.Alias("nobuild", program))

if board.get("build.emulated", False):
    add_qemu_target(env, program, settings)
else:
    add_upload_target(env, program, platform, board)
