# SPDX-License-Identifier: Apache-2.0
"""The figures that commands print, under the names that `--json` promises."""

from __future__ import annotations

from typing import Any

from runnel.inference import Inference
from runnel.plan.plan import Plan


def plan_figures(plan: Plan) -> dict[str, Any]:
    """What is known before anything is built. Bytes; `macs_overhead` is the recomputed share (0.05 is 5 %)."""
    return {
        "model": plan.name,
        "board": plan.board,
        "arena_bytes": plan.arena_bytes,
        "arena_lower_bound_bytes": plan.arena_lower_bound_bytes,
        "constants_bytes": plan.constants_bytes,
        "macs": plan.macs,
        "macs_overhead": plan.macs_overhead,
    }


def run_figures(inference: Inference) -> dict[str, Any]:
    """All of plan_figures and what was measured. None where a board does not tell (sizes on the host).

    `sram_bytes`: .data, .bss with the arena inside, and the stack's high-water mark, without the harness.
    `flash_bytes`: the whole image; `code_bytes`: it less constants, start-up and harness.
    `instructions` and, of real boards, `cycles` and `milliseconds`: the most that any of the inputs took.
    `outputs[n][k]`: values of output k for input n, flat.
    """
    plan, result, footprint = inference.plan, inference.result, inference.firmware.footprint
    figures: dict[str, Any] = plan_figures(plan)
    figures |= dict.fromkeys(("sram_bytes", "stack_bytes", "code_bytes", "flash_bytes"))
    figures["stack_bytes"] = result.stack_bytes
    if footprint is not None:
        figures["code_bytes"] = footprint.code_bytes(plan.constants_bytes)
        figures["flash_bytes"] = footprint.flash_bytes + footprint.startup_flash_bytes + footprint.harness_flash_bytes
        if result.stack_bytes is not None:
            figures["sram_bytes"] = footprint.sram_bytes(result.stack_bytes)
    figures["instructions"] = None if result.instructions is None else max(result.instructions)
    figures["cycles"] = None if result.cycles is None else max(result.cycles)
    clock_hz = result.clock_hz
    figures["milliseconds"] = None if result.cycles is None or not clock_hz else 1000 * max(result.cycles) / clock_hz
    figures["oracle"] = inference.oracle
    figures["mismatches"] = inference.mismatches
    figures["outputs"] = [[array.reshape(-1).tolist() for array in arrays] for arrays in inference.outputs]
    return figures
