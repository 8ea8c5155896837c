# SPDX-License-Identifier: Apache-2.0
"""Run firmware: one interface over QEMU and the host."""

from runnel.run.firmware import run_firmware
from runnel.run.result import RunResult

__all__ = ["RunResult", "run_firmware"]
