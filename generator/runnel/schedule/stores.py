# SPDX-License-Identifier: Apache-2.0
"""The stores of a segment: where each tensor's rows are kept, and how many bytes that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runnel.graph import Graph, Operator
from runnel.operators.base import RowForm, Window
from runnel.schedule.areas import patch_areas, plane, row_forms
from runnel.schedule.rows import READ_AHEAD_BYTES, Area, Span, Store
from runnel.schedule.schedule import Segment, Streaming


class Stores:
    """Makes stores on demand; `by_name` holds all that there are. Rings of pixels get their rows last (`set_rows`)."""

    def __init__(self, graph: Graph, segment: Segment, streaming: Streaming) -> None:
        self.graph, self.segment, self.streaming = graph, segment, streaming
        self.forms = row_forms(graph, segment)
        self.areas = patch_areas(graph, segment, self.forms)
        self.by_name: dict[str, Store] = {}
        self.made = {t for o in segment.operators for t in o.outputs}
        self.pulled = graph.inputs[0] if streaming.pulled else None

    def __getitem__(self, name: str) -> Store:
        return self.by_name[name]

    def get(self, name: str) -> Store | None:
        return self.by_name.get(name)

    def areas_of(self, tensor: int) -> tuple[Area, ...]:
        return tuple(areas[tensor] for areas in self.areas)

    def pixels(self, tensor: int) -> str:
        """The store that readers of pixels find this tensor in: whole, or a ring of rows yet to be counted."""
        if tensor in self.segment.outputs or (tensor not in self.made and tensor != self.pulled):
            return self.whole(tensor)
        name = f"rows_{tensor}"
        if name not in self.by_name:
            channels = self._channels(tensor)
            width = max(area.columns.size for area in self.areas_of(tensor))
            self.by_name[name] = Store(name, tensor, "rows of pixels", False, 0, width * channels, 0, channels)
        return name

    def whole(self, tensor: int) -> str:
        """The tensor's own buffer."""
        name = f"tensor_{tensor}"
        height, width = plane(self.graph, tensor)
        channels, size = self._channels(tensor), self.graph.tensor(tensor).bytes
        self.by_name[name] = Store(name, tensor, "rows of pixels", True, height, width * channels, size, channels)
        return name

    def output(self, tensor: int, form: RowForm) -> str:
        """Channel planes where a depthwise convolution alone reads them and the step can write them; else pixels."""
        readers = self.graph.consumers(tensor)
        if tensor not in self.segment.outputs and len(readers) == 1 and form.writes_planes:
            place = next((p for p, o in enumerate(self.segment.operators) if o is readers[0]), None)
            if place is not None and self.forms[place].form == "planes":
                return self.planes(readers[0], self.forms[place].window)
        return self.pixels(tensor)

    @staticmethod
    def planes_name(depthwise: Operator) -> str:
        return f"planes_{depthwise.inputs[0]}_{depthwise.outputs[0]}"

    def planes(self, depthwise: Operator, window: Window) -> str:
        """A ring of the rows of one window, with margins: see `plane_columns`."""
        source, output = depthwise.inputs[0], depthwise.outputs[0]
        assert source is not None
        _, width = plane(self.graph, source)
        channels = self._channels(source)
        rows = (window.kernel_h - 1) * window.dilation_h + 1
        row_bytes = gap = 0
        for area in self.areas_of(output):
            left, real, right = plane_columns(window, area.columns, width)
            row_bytes = max(row_bytes, real + max(left, right))
            gap = max(gap, left, right)
        size = channels * rows * row_bytes + gap + READ_AHEAD_BYTES
        name = self.planes_name(depthwise)
        self.by_name[name] = Store(name, source, "channel planes", False, rows, row_bytes, size, channels)
        return name

    def columns(self, depthwise: Operator) -> tuple[str, int]:
        """int16 columns between a depthwise convolution and a 1x1: the store and the pixels of a group."""
        tensor = depthwise.outputs[0]
        width = max(area.columns.size for area in self.areas_of(tensor))
        group = min(self.streaming.group or width, width)
        channels = self._channels(tensor)
        pitch = 2 * (-(-channels // 4) * 4)
        name = f"columns_{tensor}"
        self.by_name[name] = Store(name, tensor, "int16 columns", False, 1, pitch, group * pitch, channels)
        return name, group

    def sums(self, source: int, output: int) -> str:
        """One int32 for each channel of what is pooled."""
        channels = self._channels(source)
        name = f"sums_{output}"
        self.by_name[name] = Store(name, output, "int32 sums", False, 1, 4 * channels, 4 * channels, channels)
        return name

    def halo(self, tensor: int, columns: int) -> str:
        """The columns of each row of `tensor` that the next strip will need."""
        source = self.by_name[f"tensor_{tensor}"]
        name, row = f"halo_{tensor}", columns * source.channels
        size = source.rows * row
        self.by_name[name] = Store(name, tensor, "rows of pixels", False, source.rows, row, size, source.channels)
        return name

    def set_rows(self, kept: Mapping[str, int]) -> None:
        """Gives each ring of pixels as many rows as it was seen to keep."""
        for name, store in self.by_name.items():
            if store.layout == "rows of pixels" and not store.whole:
                rows = kept.get(name, 1)
                self.by_name[name] = replace(store, rows=rows, bytes=rows * store.row_bytes)
            elif store.layout == "channel planes" and kept.get(name, 1) > store.rows:
                raise ValueError(f"{name} would have to keep {kept[name]} rows, its window has {store.rows}")

    def put_inside(self, name: str, home: str) -> None:
        self.by_name[name] = replace(self.by_name[name], inside=home, bytes=0)

    def home(self, name: str) -> str:
        """The store in which the rows of `name` really lie."""
        while self.by_name[name].inside:
            name = self.by_name[name].inside
        return name

    def _channels(self, tensor: int) -> int:
        shape = self.graph.tensor(tensor).shape
        return shape[-1] if shape else 1


def plane_columns(window: Window, output: Span, width: int) -> tuple[int, int, int]:
    """Columns of a plane's row for these output columns: left margin, real columns of the input, right margin."""
    first = output.first * window.stride_w - window.pad_left
    end = (output.end - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w + 1
    real_first = min(max(0, first), width - 1)
    real_end = max(real_first + 1, min(width, end))
    return max(0, real_first - first), real_end - real_first, max(0, end - real_end)
