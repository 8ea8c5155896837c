# SPDX-License-Identifier: Apache-2.0
"""The figures that commands print, under the names that `--json` promises."""

from __future__ import annotations

from typing import Any

from runnel.inference import Inference
from runnel.plan.plan import Plan
from runnel.report.parts import PULLED
from runnel.report.view import SegmentRow, segment_rows


def plan_figures(plan: Plan) -> dict[str, Any]:
    """What is known before anything is built. Bytes; `macs_overhead` is the recomputed share (0.05 is 5 %).

    `predicted_bytes`: the arena that the scheduler predicted. `input_passes`: how often a run asks for the rows of its
    input, 0 where it is stored. `segments`: how each runs, with its operators' numbers.
    """
    return {
        "model": plan.name,
        "board": plan.board,
        "arena_bytes": plan.arena_bytes,
        "arena_lower_bound_bytes": plan.arena_lower_bound_bytes,
        "predicted_bytes": plan.schedule.predicted_bytes,
        "constants_bytes": plan.constants_bytes,
        "macs": plan.macs,
        "macs_overhead": plan.macs_overhead,
        "input_passes": plan.schedule.input_passes,
        "objective": plan.schedule.objective,
        "segments": [_segment_figures(row) for row in segment_rows(plan)],
    }


def _segment_figures(row: SegmentRow) -> dict[str, Any]:
    operators = [int(part.label) for part in row.parts if part.kind != PULLED]
    return {"operators": operators, "runs": row.runs, "macs": row.macs, "live_bytes": row.live, "peak": row.peak}


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
