# SPDX-License-Identifier: Apache-2.0
"""The inside of a segment: what each operator computes and which rows of its output are kept. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.plan.plan import PlannedSegment
from runnel.plan.planner import operator_macs
from runnel.report.text import shape_text
from runnel.schedule.areas import plane
from runnel.schedule.rows import SegmentRows, Step, Store
from runnel.schedule.schedule import Streaming

PULLED = "pulled rows"
"""Kind of the part that asks the caller for rows of the input."""

LAYER = "layer"
"""Mode of a segment that runs one operator on whole tensors."""


@dataclass(frozen=True)
class PartRow:
    """An operator in its segment, or the rows of a pulled input (`kind` is then PULLED).

    macs: what it really computes; `extra` of them are halos, computed more than once. kept: bytes that exist because of
    it while the segment runs: rings, columns, sums. stores: their names. kept_text says what they are. reads: names of
    the stores that it reads.
    """

    label: str
    kind: str
    output: str
    macs: int
    extra: int
    kept: int
    stores: tuple[str, ...]
    kept_text: str
    reads: tuple[str, ...] = ()


def part_rows(graph: Graph, planned: PlannedSegment) -> tuple[PartRow, ...]:
    """The operators of a segment in order, before them the pulled rows where the input is pulled."""
    if planned.rows is None:
        return tuple(_layer(graph, operator, planned) for operator in planned.segment.operators)
    parts: list[PartRow] = []
    spreads: list[Step] = []
    for step in planned.rows.steps:
        if step.form == "spread":
            spreads.append(step)
        elif step.form == "pull":
            stores = _own(planned.rows, (step.output,))
            parts.append(_part("", PULLED, graph, step.output.tensor, (0, 0), stores))
        else:
            parts += _step_parts(graph, planned.rows, step, spreads)
            spreads = []
    return tuple(parts)


def _layer(graph: Graph, operator: Operator, planned: PlannedSegment) -> PartRow:
    macs = planned.macs if len(planned.segment.operators) == 1 else operator_type(operator.kind).macs(graph, operator)
    return _part(str(operator.index), operator.kind, graph, operator.outputs[0], (macs, 0), ())


def _step_parts(graph: Graph, rows: SegmentRows, step: Step, spreads: Sequence[Step]) -> list[PartRow]:
    """One part for each operator of the step: two where a depthwise convolution hands columns to the 1x1 after it.

    spreads: the steps before it that only bring its input into another layout.
    """
    parts = []
    for place, operator in enumerate(step.operators):
        first, last = place == 0, place == len(step.operators) - 1
        stores = [*(s.output for s in spreads), step.columns, step.sums, step.halo] if first else []
        stores += [step.output] if last else []
        macs = _macs(graph, operator, rows)
        own = _own(rows, [store for store in stores if store is not None])
        part = _part(str(operator.index), operator.kind, graph, operator.outputs[0], macs, own)
        reads = [] if first else [step.columns]
        reads += [*step.inputs, step.halo, *(store for s in spreads for store in s.inputs)] if first else []
        parts.append(replace(part, reads=tuple(store.name for store in reads if store is not None)))
    return parts


def _macs(graph: Graph, operator: Operator, rows: SegmentRows) -> tuple[int, int]:
    """All multiply-accumulates of the operator in all patches, and how many of them are repetitions."""
    macs = operator_macs(graph, rows, operator)
    return macs, macs - operator_type(operator.kind).macs(graph, operator)


def _own(rows: SegmentRows, stores: Sequence[Store]) -> tuple[Store, ...]:
    """Those that take bytes of their own."""
    names = {store.name for store in rows.stores}
    return tuple(store for store in stores if store.name in names)


def _part(label: str, kind: str, graph: Graph, tensor: int, macs: tuple[int, int], stores: Sequence[Store]) -> PartRow:
    return PartRow(
        label=label,
        kind=kind,
        output=shape_text(graph.tensor(tensor)),
        macs=macs[0],
        extra=macs[1],
        kept=sum(store.bytes for store in stores),
        stores=tuple(store.name for store in stores),
        kept_text=", ".join(store_text(store, plane(graph, store.tensor)[0]) for store in stores),
    )


def store_text(store: Store, height: int) -> str:
    """What a store keeps of a tensor with so many rows, as "7 of 40 rows × 5,760 B"."""
    if store.layout == "channel planes":
        return f"{store.channels} planes of {store.rows} rows × {store.row_bytes:,} B"
    if store.layout == "int16 columns":
        pixels = store.bytes // store.row_bytes if store.row_bytes else 0
        return f"int16 columns of {pixels} pixels × {store.row_bytes:,} B"
    if store.layout == "int32 sums":
        return f"int32 sums of {store.channels} channels"
    if store.name.startswith("halo"):
        return f"halo of {store.rows} rows × {store.row_bytes:,} B"
    return f"{store.rows} of {height} rows × {store.row_bytes:,} B"


def mode_text(streaming: Streaming | None) -> str:
    """How a segment runs, in a few words for tables: "rows, 3 strips, input pulled"."""
    if streaming is None:
        return "on whole tensors"
    return ", ".join([mode_name(streaming), *mode_details(streaming)])


def mode_name(streaming: Streaming | None) -> str:
    """One or two words: layer, rows, 3 strips, 4×4 patches."""
    if streaming is None:
        return LAYER
    if streaming.bands > 1:
        return f"{streaming.bands}×{streaming.strips} patches"
    return f"{streaming.strips} strips" if streaming.strips > 1 else "rows"


def mode_details(streaming: Streaming) -> list[str]:
    details = []
    if streaming.group:
        details.append(f"columns of {streaming.group} pixels")
    if streaming.pulled:
        details.append("input pulled")
    if streaming.grows_into is not None:
        details.append("output grows into input")
    return details
