# SPDX-License-Identifier: Apache-2.0
"""The schedule of a segment that runs by rows, in words, for the comment above its function."""

from __future__ import annotations

from runnel.emit.describe import describe_segment, title
from runnel.emit.rows_places import next_row, step_name, stores_of
from runnel.emit.text import dimensions
from runnel.graph import Graph
from runnel.plan.plan import Plan
from runnel.schedule.rows import SegmentRows, Step, Store
from runnel.schedule.schedule import Streaming


def step_note(graph: Graph, rows: SegmentRows, step: Step) -> str:
    """What a step does, in a few words."""
    if step.form == "pull":
        return "a row of the input"
    if step.form == "spread":
        return f"rows of {step.inputs[0].name} as {step.output.name}"
    words = " and ".join(title(graph, operator) for operator in step.operators)
    if step.columns is None or all(area.columns.size <= step.group for area in step.areas):
        return words
    return f"{words}, {step.group} pixels at a time"


def header_lines(plan: Plan, number: int, rows: SegmentRows) -> list[str]:
    """The header comment: what the segment is, what its steps make, where the rows are kept."""
    graph, segment = plan.schedule.graph, rows.segment
    streaming = segment.streaming or Streaming()
    lines = [f"Segment {number}: {describe_segment(graph, segment)}", ""]
    for step in rows.steps:
        into = "" if step.sums is None else f"{step.sums.name}, then "
        lines.append(
            f"{next_row(step_name(rows, step)) + ':':12} {step_note(graph, rows, step)} -> {into}{step.output.name}"
        )
    lines.append("")
    stores = {store.name: store for step in rows.steps for store in stores_of(step)}
    lines += [_store_line(plan, number, store) for store in stores.values()]
    if streaming.grows_into is not None and rows.distance is not None:
        output = f"tensor_{segment.outputs[0]}"
        lines += ["", f"{output} grows into rows of tensor_{streaming.grows_into} that are consumed: it begins at"]
        lines.append(f"least {rows.distance} bytes below.")
    return lines


def _store_line(plan: Plan, number: int, store: Store) -> str:
    graph = plan.schedule.graph
    shape = dimensions(graph.tensor(store.tensor).shape)
    if store.inside:
        return f"{store.name + ':':16} a row of {shape}, in the place of {store.inside}"
    placed = plan.placed(store.tensor, number) if store.whole else plan.store(store.name)
    where = f"{store.bytes} bytes at {placed.offset}"
    if store.whole:
        return f"{store.name + ':':16} {shape}, whole, {where}"
    return f"{store.name + ':':16} {_kept(store)} of {shape}, {where}"


def _kept(store: Store) -> str:
    if store.layout == "int32 sums":
        return "sums of each channel"
    if store.layout == "int16 columns":
        return _count(store.bytes // store.row_bytes, "int16 column")
    if store.name.startswith("halo"):
        return (
            f"{_count(store.rows, 'row')} of {_count(store.row_bytes // store.channels, 'column')} for the next strip"
        )
    rows = _count(store.rows, "row")
    return f"{rows}, {store.layout}," if store.layout == "channel planes" else rows


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
