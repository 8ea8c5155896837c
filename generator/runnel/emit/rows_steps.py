# SPDX-License-Identifier: Apache-2.0
"""The statements by which a step makes one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from runnel.emit.expressions import Term, minus, offset, plus, remainder, times
from runnel.emit.rows_places import Places, next_row, step_name
from runnel.emit.text import indented, statement
from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.schedule.areas import plane, row_inputs
from runnel.schedule.rows import Step, Store


class Kernels(Protocol):
    """The kernels of one step as C text."""

    def call(self, number: int, types: Sequence[str], arguments: Sequence[str]) -> str:
        """The call of kernel `number`: C types of its inputs, its arguments behind the layer and before scratch."""

    def constant(self, number: int, tensor: int) -> str:
        """The name of a constant tensor that kernel `number` reads."""


GROUP_COLUMN = "x"


def row_lines(places: Places, step: Step, calls: Sequence[KernelCall], kernels: Kernels) -> list[str]:
    """One row, and its counter."""
    maker = _Maker(places, step, calls, kernels)
    return [*maker.lines(), f"{maker.row}++;", *maker.last_lines()]


def finish(step: Step, kernels: Kernels) -> list[str]:
    """What makes a row of sums when all rows are added."""
    return [] if step.sums is None else [kernels.call(1, (), (step.sums.name, step.output.name))]


class _Maker:
    """One step, and the C names of what it works with."""

    def __init__(self, places: Places, step: Step, calls: Sequence[KernelCall], kernels: Kernels) -> None:
        self.places, self.step, self.calls, self.kernels = places, step, calls, kernels
        self.name = step_name(places.rows, step)
        self.row = next_row(self.name)
        self.column = places.first_column(step, self.name)
        self.pixels = places.pixels(step, self.name)

    @property
    def graph(self) -> Graph:
        return self.places.graph

    def lines(self) -> list[str]:
        form = self.step.form
        if form == "pull":
            return self._pull()
        if form == "window":
            return [self._window()]
        if form == "planes":
            return [*self._rows_below(), *self._depthwise()]
        if form == "sums":
            source = self._source(self.step.inputs[0])
            assert self.step.sums is not None
            return [self.kernels.call(0, (), (source, str(self.pixels), self.step.sums.name))]
        return self._halo_row() if self.step.halo is not None else [self._pixels(self.column, self.pixels)]

    def last_lines(self) -> list[str]:
        """What comes after the last row; with several patches it comes after the last of them."""
        if self.step.sums is None or self.places.rows.patches > 1:
            return []
        end = self.places.end_row(self.step, self.name)
        return [f"if ({self.row} == {end}) {{", *indented(finish(self.step, self.kernels), 1), "}"]

    def _pull(self) -> list[str]:
        where = self.places.place(self.step.output, self.row, self.column)
        arguments = ("context", self.row, str(self.column), str(self.pixels), where)
        return [statement("status = read_row", arguments), "if (status < 0) {", "\treturn status;", "}"]

    # --- pixels ---------------------------------------------------------------------------------------------------

    def _source(self, store: Store) -> str:
        """Where the row begins that the step reads pixel by pixel."""
        window = self.step.window
        return self.places.place(store, times(self.row, window.stride_h), times(self.column, window.stride_w))

    def _pixels(self, column: Term, pixels: Term) -> str:
        output = self.places.place(self.step.output, self.row, column)
        inputs = self._inputs(column)
        types = ["int8_t"] * len(inputs)
        return self.kernels.call(0, types, (*inputs, str(pixels), output))

    def _inputs(self, column: Term) -> list[str]:
        """One argument for each input of the call: a pixel of the row, or the whole of what is the same for all."""
        step = self.step
        if not step.operators:
            return [self._source(step.inputs[0])]
        by_rows = row_inputs(self.graph, step.operators[0])
        stores = {store.tensor: store for store in step.inputs}
        arguments = []
        for tensor in self.calls[0].inputs:
            if tensor not in stores:
                arguments.append(self.kernels.constant(0, tensor))
            elif tensor in by_rows:
                row, first = times(self.row, step.window.stride_h), times(column, step.window.stride_w)
                arguments.append(self.places.place(stores[tensor], row, first))
            else:
                arguments.append(stores[tensor].name)
        return arguments

    def _halo_row(self) -> list[str]:
        """The left end of the row was saved before it was overwritten; what the next strip needs is saved now."""
        step, places = self.step, self.places
        source, halo = step.inputs[0], step.halo
        assert halo is not None
        saved, wanted, own = self._halo_columns(source)
        left = places.columns.value("halo", self.name, [size for _, size in saved])
        inside = [area.columns.end - begin for area, begin in zip(step.areas[: places.strips], own, strict=True)]
        right = places.columns.value("inside", self.name, inside)
        begin = places.columns.value("own", self.name, own)
        row = offset(halo.name, times(self.row, halo.row_bytes))
        output = places.place(step.output, self.row, self.column)
        arguments = zip(self.calls[0].inputs, self._inputs(self.column), strict=True)
        inputs = [row if tensor == source.tensor else argument for tensor, argument in arguments]
        keep = places.columns.value("kept", self.name, [size * halo.channels for _, size in wanted])
        keep_from = places.columns.value("keep_from", self.name, [first for first, _ in wanted])
        return [
            f"if ({left} > 0) {{",
            *indented([self.kernels.call(0, ["int8_t"] * len(inputs), (*inputs, str(left), output))], 1),
            "}",
            self._pixels(begin, right),
            statement("memcpy", (row, places.place(source, self.row, keep_from), f"(size_t){_wrapped(keep)}")),
        ]

    def _halo_columns(self, source: Store) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[int]]:
        """For each strip (first, count) of the saved columns that it reads, of those it saves; its own first column."""
        strips = self.places.rows.areas[: self.places.strips]
        output = self.places.rows.segment.outputs[0]
        own = [areas[output].columns.first for areas in strips]
        first = [area.columns.first for area in self.step.areas[: self.places.strips]]
        saved = [(begin, mine - begin) for begin, mine in zip(first, own, strict=True)]
        wanted = [*saved[1:], (0, 0)]
        return saved, wanted, own

    # --- windows --------------------------------------------------------------------------------------------------

    def _window(self) -> str:
        store = self.step.inputs[0]
        home = self.places.home(store)
        first = self.places.store_column(home)
        ring = f"&(const struct runnel_rows){{{home.name}, {home.rows}, {home.row_bytes}, {first}}}"
        output = self.places.place(self.step.output, self.row, self.column)
        return self.kernels.call(0, (), (ring, self.row, str(self.column), str(self.pixels), output))

    # --- depthwise ------------------------------------------------------------------------------------------------

    def _from_first(self) -> Term:
        """Padded rows of the image from the one in slot 0 to the window's first."""
        first = self.places.first_row(self.step, self.name)
        return times(minus(self.row, first), self.step.window.stride_h)

    def _rows_below(self) -> list[str]:
        """Fills rows below the image that the window is the first to read."""
        window, planes = self.step.window, self.step.inputs[0]
        height = plane(self.graph, planes.tensor)[0]
        last = max(area.rows.end for area in self.step.areas) - 1
        if last * window.stride_h - window.pad_top + planes.rows <= height:
            return []
        lines = []
        for below in range(max(0, planes.rows - window.stride_h), planes.rows):
            if last * window.stride_h - window.pad_top + below < height:
                continue
            slot = plus(self._from_first(), below)
            where = f"runnel_ring_row({planes.name}, {slot}, {planes.rows}, {planes.row_bytes})"
            where = planes.name if planes.rows == 1 else where
            sizes = (planes.channels, planes.rows * planes.row_bytes, planes.row_bytes, self._zero_point())
            fill = statement("runnel_planes_fill_row", (where, *map(str, sizes)))
            first = -((below - window.pad_top - height) // window.stride_h)  # the first row whose window reaches it
            lines += [f"if ({self.row} >= {first}) {{", *indented([fill], 1), "}"] if first > 0 else [fill]
        return lines

    def _zero_point(self) -> int:
        return zero_point(self.graph, self.step.inputs[0].tensor)

    def _depthwise(self) -> list[str]:
        step, columns = self.step, self.step.columns
        rotation = str(remainder(self._from_first(), step.inputs[0].rows))
        if columns is None:
            output = self.places.place(step.output, self.row, self.column)
            return [self.kernels.call(0, (), (step.inputs[0].name, rotation, str(self.pixels), output))]
        if all(area.columns.size <= step.group for area in step.areas):
            return self._group(rotation, 0, self.pixels)
        whole = isinstance(self.pixels, int) and self.pixels % step.group == 0
        rest = minus(self.pixels, GROUP_COLUMN)
        count: Term = step.group if whole else "pixels"
        lines = self._group(rotation, GROUP_COLUMN, count)
        if not whole:
            lines.insert(0, f"const int32_t pixels = {rest} < {step.group} ? {rest} : {step.group};")
        loop = f"for (int32_t {GROUP_COLUMN} = 0; {GROUP_COLUMN} < {self.pixels}; {GROUP_COLUMN} += {step.group}) {{"
        return [loop, *indented(lines, 1), "}"]

    def _group(self, rotation: str, column: Term, pixels: Term) -> list[str]:
        """A group of pixels through the int16 columns."""
        step, columns = self.step, self.step.columns
        assert columns is not None
        planes = offset(step.inputs[0].name, times(column, step.window.stride_w))
        output = self.places.place(step.output, self.row, plus(self.column, column))
        return [
            self.kernels.call(0, (), (planes, rotation, str(pixels), columns.name)),
            self.kernels.call(1, ("int16_t",), (columns.name, str(pixels), output)),
        ]


def zero_point(graph: Graph, tensor: int) -> int:
    quantization = graph.tensor(tensor).quantization
    return quantization.zero_point if quantization is not None else 0


def _wrapped(term: Term) -> str:
    return f"({term})" if isinstance(term, str) and " " in term else str(term)
