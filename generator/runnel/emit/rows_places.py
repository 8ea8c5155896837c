# SPDX-License-Identifier: Apache-2.0
"""Where rows and pixels of a segment that runs by rows lie, as C text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runnel.emit.expressions import Term, minus, offset, times
from runnel.emit.pieces import CTable
from runnel.graph import Graph
from runnel.schedule.rows import Area, SegmentRows, Span, Step, Store
from runnel.schedule.schedule import Streaming


@dataclass
class Lines:
    """What differs from band to band, or from strip to strip: fields of a table in flash.

    pointer: the C name of the line of the patch that runs.
    """

    pointer: str
    fields: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def value(self, kind: str, name: str, values: Sequence[int]) -> Term:
        """The number, where it is the same on all lines; else a field of this kind that has these values."""
        if len(set(values)) == 1:
            return values[0]
        same = (known for known, held in self.fields.items() if known.startswith(f"{kind}_") and held == tuple(values))
        field_name = next(same, f"{kind}_{name}")
        self.fields[field_name] = tuple(values)
        return f"{self.pointer}->{field_name}"

    def table(self, function: str) -> CTable | None:
        """None where nothing differs."""
        if not self.fields:
            return None
        names = tuple(self.fields)
        lines = tuple(zip(*self.fields.values(), strict=True))
        small = all(-(2**15) <= value < 2**15 for values in self.fields.values() for value in values)
        kind = "int16_t" if small else "int32_t"
        return CTable(kind, f"{function}_{self.pointer}", f"{function}_{self.pointer}s", names, lines)


class Places:
    """Addresses of rows and pixels, and the rows and columns that steps make, in a patch."""

    def __init__(self, graph: Graph, rows: SegmentRows) -> None:
        self.graph, self.rows = graph, rows
        streaming = rows.segment.streaming or Streaming()
        self.strips = streaming.strips
        self.bands = Lines("band")
        self.columns = Lines("strip")
        self.stores = {store.name: store for step in rows.steps for store in stores_of(step)}

    # --- rows and columns of a patch ------------------------------------------------------------------------------

    def first_row(self, step: Step, name: str) -> Term:
        return self.bands.value("first", name, [span.first for span in self._row_spans(step.areas)])

    def end_row(self, step: Step, name: str) -> Term:
        return self.bands.value("end", name, [span.end for span in self._row_spans(step.areas)])

    def first_column(self, step: Step, name: str) -> Term:
        return self.columns.value("column", name, [span.first for span in self._column_spans(step.areas)])

    def pixels(self, step: Step, name: str) -> Term:
        """Of one row."""
        return self.columns.value("pixels", name, [span.size for span in self._column_spans(step.areas)])

    def _row_spans(self, areas: Sequence[Area]) -> list[Span]:
        return [area.rows for area in areas[:: self.strips]]

    def _column_spans(self, areas: Sequence[Area]) -> list[Span]:
        return [area.columns for area in areas[: self.strips]]

    # --- addresses ------------------------------------------------------------------------------------------------

    def home(self, store: Store) -> Store:
        """The store that the rows of `store` lie in."""
        while store.inside:
            store = self.stores[store.inside]
        return store

    def store_column(self, store: Store) -> Term:
        """The column of the tensor that the rows of pixels of a store begin with."""
        if store.whole:
            return 0
        spans = self._column_spans([areas[store.tensor] for areas in self.rows.areas])
        return self.columns.value("column", store.name, [span.first for span in spans])

    def place(self, store: Store, row: Term, column: Term) -> str:
        """The address of a pixel, channel 0, to be read (rows of pixels) or written."""
        if store.layout == "channel planes":
            first_row, first_column = self.plane_origin(store)
            return _slot(offset(store.name, minus(column, first_column)), store, minus(row, first_row))
        home = self.home(store)
        distance = times(minus(column, self.store_column(home)), home.channels)
        if home.whole:
            return offset(offset(home.name, times(row, home.row_bytes)), distance)
        return _slot(offset(home.name, distance), home, row)

    def plane_origin(self, planes: Store) -> tuple[Term, Term]:
        """Row and column of the image, padding included, in slot 0 and at byte 0 of channel 0."""
        reader = plane_reader(self.rows, planes)
        window, name = reader.window, step_name(self.rows, reader)
        row = [span.first * window.stride_h - window.pad_top for span in self._row_spans(reader.areas)]
        column = [span.first * window.stride_w - window.pad_left for span in self._column_spans(reader.areas)]
        return self.bands.value("slot_row", name, row), self.columns.value("plane_column", name, column)


def _slot(pointer: str, ring: Store, row: Term) -> str:
    if ring.rows == 1:
        return pointer
    return f"runnel_ring_row({pointer}, {row}, {ring.rows}, {ring.row_bytes})"


def stores_of(step: Step) -> list[Store]:
    """All stores that a step reads or writes, in that order."""
    others = [store for store in (step.columns, step.sums, step.halo) if store is not None]
    return [*step.inputs, step.output, *others]


def step_name(rows: SegmentRows, step: Step) -> str:
    """What the step is called in C names: the number of its last operator, or what it does for which operator."""
    if step.operators:
        return f"{step.operators[-1].index}"
    if step.form == "pull":
        return "input"
    return f"spread_{plane_reader(rows, step.output).operators[0].index}"


def plane_reader(rows: SegmentRows, planes: Store) -> Step:
    """The depthwise convolution that reads these channel planes."""
    return next(s for s in rows.steps if s.form == "planes" and s.inputs[0].name == planes.name)


def next_row(name: str) -> str:
    """The C variable that counts the rows of the step called `name`."""
    return f"row_{name}"


def made_rows(rows: SegmentRows, store: Store) -> Step | None:
    """The step that makes the rows of a store, None where the tensor is whole before the segment."""
    return next((s for s in rows.steps if s.output.name == store.name), None)
