# SPDX-License-Identifier: Apache-2.0
"""The C function of a segment that runs by rows."""

from __future__ import annotations

from collections.abc import Callable

from runnel.emit.pieces import CRows, CTable
from runnel.emit.rows_comment import header_lines, step_note
from runnel.emit.rows_places import Lines, Places, next_row, step_name, stores_of
from runnel.emit.rows_steps import Kernels, finish, row_lines, zero_point
from runnel.emit.rows_turns import condition, ends_with_last_step, needed_array
from runnel.emit.text import indented, statement
from runnel.graph import Graph
from runnel.plan.plan import Plan, PlannedSegment
from runnel.schedule.rows import SegmentRows, Store

_TYPES = {"int16 columns": "int16_t", "int32 sums": "int32_t"}


def segment_function(
    plan: Plan, number: int, segment: PlannedSegment, function: str, kernels: Callable[[int], Kernels]
) -> CRows:
    """The function called `function` of segment `number`; `kernels` gives those of a step."""
    assert segment.rows is not None
    body = _Body(plan.schedule.graph, segment, segment.rows, kernels)
    lines = body.lines(function)
    pulled = any(step.form == "pull" for step in segment.rows.steps)
    return CRows(
        function=function,
        comment=tuple(header_lines(plan, number, segment.rows)),
        tables=tuple(body.tables(function)),
        declarations=(*_declarations(plan, number, body.places), *(["int status;"] if pulled else [])),
        body=tuple(indented([*lines, *(["return RUNNEL_OK;"] if pulled else [])], 1)),
        pulled=pulled,
    )


class _Body:
    """The statements of the function: patches, in each of them rows, and for each row the step whose turn it is."""

    def __init__(
        self, graph: Graph, segment: PlannedSegment, rows: SegmentRows, kernels: Callable[[int], Kernels]
    ) -> None:
        self.graph, self.segment, self.rows, self.kernels = graph, segment, rows, kernels
        self.places = Places(graph, rows)

    def lines(self, function: str) -> list[str]:
        patch = self._patch()
        for lines, count in ((self.places.columns, self.places.strips), (self.places.bands, self._bands())):
            if count > 1:
                patch = _loop(function, lines, count, patch)
        sums = [step.sums for step in self.rows.steps if step.sums is not None]
        return [*(statement("memset", (s.name, "0", str(s.bytes))) for s in sums), *patch, *self._finish()]

    def _bands(self) -> int:
        return self.rows.patches // self.places.strips

    def tables(self, function: str) -> list[CTable]:
        """Of what differs between bands and between strips; after `lines`."""
        found = (lines.table(function) for lines in (self.places.bands, self.places.columns))
        return [table for table in found if table is not None]

    def _patch(self) -> list[str]:
        last = self.rows.steps[-1]
        name = step_name(self.rows, last)
        ends = ends_with_last_step(self.rows)
        until = f"{next_row(name)} < {self.places.end_row(last, name)}"
        return [
            *self._counters(),
            "",
            *_planes_before(self.graph, self.rows),
            f"while ({until}) {{" if ends else "for (;;) { /* until no step can make a row */",
            *indented(self._turns(ends), 1),
            "}",
        ]

    def _counters(self) -> list[str]:
        """The next row of each step."""
        lines = []
        for step in self.rows.steps:
            name = step_name(self.rows, step)
            lines.append(f"int32_t {next_row(name)} = {self.places.first_row(step, name)};")
        return lines

    def _turns(self, ends: bool) -> list[str]:
        """if ... else if ..., deepest step first; the first step always can, unless all are done."""
        lines: list[str] = []
        for place, step in reversed(list(enumerate(self.rows.steps))):
            note = f"/* {step_note(self.graph, self.rows, step)} */"
            row = [note, *row_lines(self.places, step, self.segment.step_calls[place], self.kernels(place))]
            looped = ends and step is self.rows.steps[-1]
            when = f"if ({condition(self.places, step, looped)}) " if place > 0 or not ends else ""
            if not when and not lines:
                return row
            lines += [f"}} else {when}{{" if lines else f"{when}{{", *indented(row, 1)]
        return [*lines, *([] if ends else ["} else {", "\tbreak;"]), "}"]

    def _finish(self) -> list[str]:
        steps = enumerate(self.rows.steps) if self.rows.patches > 1 else ()
        return [line for place, step in steps for line in finish(step, self.kernels(place))]


def _loop(function: str, lines: Lines, count: int, body: list[str]) -> list[str]:
    """The body for each line of a table."""
    number, pointer = f"{lines.pointer}_number", lines.pointer
    return [
        f"for (int32_t {number} = 0; {number} < {count}; {number}++) {{",
        f"\tconst struct {function}_{pointer} *const {pointer} = &{function}_{pointer}s[{number}];",
        *indented(body, 1),
        "}",
    ]


def _declarations(plan: Plan, number: int, places: Places) -> list[str]:
    """Tables of what rows wait for, and a pointer to each store that has a place of its own."""
    arrays = [needed_array(places, step) for step in places.rows.steps]
    stores = {store.name: store for step in places.rows.steps for store in stores_of(step) if not store.inside}
    pointers = [_pointer(store, _offset(plan, number, store)) for store in stores.values()]
    return [*filter(None, arrays), *pointers]


def _pointer(store: Store, offset: int) -> str:
    kind = _TYPES.get(store.layout, "int8_t")
    return f"{kind} *const {store.name} = TENSOR({kind}, {offset});"


def _offset(plan: Plan, number: int, store: Store) -> int:
    return (plan.placed(store.tensor, number) if store.whole else plan.store(store.name)).offset


def _planes_before(graph: Graph, rows: SegmentRows) -> list[str]:
    """Margins and rows above the image hold the zero point."""
    stores = {step.output.name: step.output for step in rows.steps if step.output.layout == "channel planes"}
    return [statement("memset", (s.name, str(zero_point(graph, s.tensor)), str(s.bytes))) for s in stores.values()]
