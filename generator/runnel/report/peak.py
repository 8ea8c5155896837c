# SPDX-License-Identifier: Apache-2.0
"""Which segment needs the most memory, what is live there, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from runnel.plan.lower_bound import live_bytes, peak_step
from runnel.plan.plan import Buffer, Plan
from runnel.report.parts import mode_text
from runnel.report.text import tensor_text
from runnel.report.view import buffer_kind, contents_text

_SHOWN = 3


def explain_peak(plan: Plan, options: Sequence[str] = ()) -> str:
    """A few sentences for messages: the peak step, the largest buffers live then, and what to change.

    options: what other options of the command would give, best first.
    """
    buffers = [placed.buffer for placed in plan.layout.buffers]
    if not buffers:
        return "The model needs no arena."
    step = peak_step(buffers)
    live = sorted((b for b in buffers if b.first <= step <= b.last), key=lambda b: (-b.bytes, b.name))
    shown = [f"{_buffer_text(plan, buffer)}: {buffer.bytes:,} bytes" for buffer in live[:_SHOWN]]
    if len(live) > _SHOWN:
        shown.append(f"{len(live) - _SHOWN} smaller ones: {sum(b.bytes for b in live[_SHOWN:]):,} bytes")
    shared = (
        ", bytes that two of them share counted once"
        if sum(b.aligned_bytes for b in live) > live_bytes(buffers, step)
        else ""
    )
    return (
        f"The peak is at {_step_text(plan, step)}, where {live_bytes(buffers, step):,} bytes are live{shared}: "
        f"{'; '.join(shown)}. What would help: {'; '.join([*options, _advice(plan, live[0])])}"
    )


def _step_text(plan: Plan, step: int) -> str:
    if step < 0:
        return "the model's inputs, before the first operator"
    if step >= len(plan.segments):
        return "the model's outputs, after the last operator"
    segment = plan.segments[step].segment
    operators = segment.operators
    if segment.streaming is None:
        return f"step {step}, {', '.join(operator.label for operator in operators)}"
    named = f"operators {operators[0].index} to {operators[-1].index}" if len(operators) > 1 else operators[0].label
    return f"step {step}, {named} ({mode_text(segment.streaming)})"


def _buffer_text(plan: Plan, buffer: Buffer) -> str:
    if buffer.purpose == "scratch":
        return "kernel scratch"
    if buffer.purpose == "ring":
        return contents_text(plan, buffer)
    held = ", held for a later operator" if buffer_kind(plan, buffer) == "held" else ""
    return tensor_text(plan.schedule.graph, buffer.tensors[0]) + held


def _advice(plan: Plan, largest: Buffer) -> str:
    kind = buffer_kind(plan, largest)
    if kind == "scratch":
        return "fewer channels in this operator, or a board with more SRAM"
    if kind in ("ring", "columns"):
        return "fewer channels in this block (a lower expansion or width), a smaller kernel, or a board with more SRAM"
    tensor = plan.schedule.graph.tensor(largest.tensors[0])
    if kind == "input":
        return "a smaller model input, or a board with more SRAM"
    if len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1:
        return (
            "a smaller model input, fewer channels in this block (a lower expansion or width), an earlier stride, "
            "or a board with more SRAM"
        )
    return "a narrower layer here, or a board with more SRAM"
