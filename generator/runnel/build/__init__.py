# SPDX-License-Identifier: Apache-2.0
"""Generated C → ELF: cross and host builds, and what the ELF says of sizes."""

from runnel.build.elf import Footprint, read_footprint, symbol_bytes
from runnel.build.firmware import BuildOptions, Firmware, build_firmware
from runnel.build.harness import EdgeBuffer, HarnessModel
from runnel.build.toolchain import find_compiler

__all__ = [
    "BuildOptions",
    "EdgeBuffer",
    "Firmware",
    "Footprint",
    "HarnessModel",
    "build_firmware",
    "find_compiler",
    "read_footprint",
    "symbol_bytes",
]
