# SPDX-License-Identifier: Apache-2.0
"""What MCUNetV2's patches would cost: peak memory and MACs of the first blocks run patch by patch, in its accounting.

That accounting (docs/zoo.md says how it was found): int8 activations, memory of a layer is input and output together, a
depthwise convolution works in place, the operand of a residual is not counted, and 1 kB is 1024 B. While patches run
there are one patch of a layer's input and output and the whole output of the stage. The image is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import Window
from runnel.schedule.areas import divide
from runnel.schedule.rows import Span

Border = Literal["full", "padded", "clipped"]
"""What a patch at the image's border makes. full: as much as one in the middle. padded: also the padding that windows
touch, as if it were map, but nothing beyond. clipped: the map only, which is what Runnel does."""

BORDERS: tuple[Border, ...] = ("full", "padded", "clipped")
DOWN = 8
"""By how much the stage shrinks the map unless its blocks are given."""

_IN_PLACE = ("DEPTHWISE_CONV_2D", "ADD")
_Spans = Sequence[Mapping[int, Span]]


@dataclass(frozen=True)
class PatchFigures:
    """A network whose first `blocks` blocks run in bands x strips patches. Bytes, MACs of one inference.

    patch_height, patch_width: of the image, the largest patch.
    stage_macs: of the stage layer by layer; patch_macs: in patches. peak_bytes: of the whole network layer by layer;
    stage_peak_bytes: while patches run; rest_peak_bytes: of the layers after the stage.
    """

    blocks: int
    bands: int
    strips: int
    patch_height: int
    patch_width: int
    stage_macs: int
    total_macs: int
    patch_macs: Mapping[Border, int]
    peak_bytes: int
    stage_peak_bytes: int
    rest_peak_bytes: int

    @property
    def patch_peak_bytes(self) -> int:
        """Of the whole network with the stage in patches."""
        return max(self.stage_peak_bytes, self.rest_peak_bytes)

    def stage_overhead(self, border: Border) -> float:
        """MACs computed again, as a share of the stage's."""
        return self.patch_macs[border] / self.stage_macs - 1

    def total_overhead(self, border: Border) -> float:
        """The same as a share of the network's."""
        return (self.patch_macs[border] - self.stage_macs) / self.total_macs


def block_ends(graph: Graph) -> tuple[int, ...]:
    """Where blocks end: numbers of operators after which one tensor alone goes on, as far as patches can reach.

    A block is the first operator; then whatever ends in a residual ADD or in the convolution behind a depthwise one.
    """
    ends = []
    made_by = {operator.outputs[0]: operator for operator in graph.operators}
    last_reader = {t: place for place, operator in enumerate(graph.operators) for t in operator.inputs}
    for place, operator in enumerate(graph.operators):
        if not _by_rows(graph, operator):
            break
        alone = all(
            last_reader.get(made.outputs[0], -1) <= place for made in graph.operators[:place] if made is not operator
        )
        before = made_by.get(operator.inputs[0] or 0)
        filtered = operator.kind == "CONV_2D" and before is not None and before.kind == "DEPTHWISE_CONV_2D"
        if alone and (place == 0 or operator.kind == "ADD" or filtered):
            ends.append(place)
    return tuple(ends)


def _by_rows(graph: Graph, operator: Operator) -> bool:
    """Whether patches can run it: a feature map in and out, through a window that is not the whole map."""
    window = operator_type(operator.kind).window(graph, operator)
    output = graph.tensor(operator.outputs[0]).shape
    return window is not None and len(output) == 4 and output[1] * output[2] > 1


def default_blocks(graph: Graph) -> int:
    """The first blocks until the map is an eighth of the image, all where it stays larger. Raises UnsupportedError."""
    ends = block_ends(graph)
    if not ends or len(graph.inputs) != 1:
        raise UnsupportedError(
            f"{graph.name} cannot run in patches; that needs one image and a convolution that reads it"
        )
    height = graph.tensor(graph.inputs[0]).shape[1]
    small = (n for n, end in enumerate(ends, 1) if _plane(graph, graph.operators[end].outputs[0])[0] * DOWN <= height)
    return next(small, len(ends))


def patch_figures(graph: Graph, blocks: int, bands: int, strips: int) -> PatchFigures:
    """`graph` as the passes leave it. Raises UnsupportedError for blocks or patches that it does not have."""
    ends = block_ends(graph)
    if not 1 <= blocks <= len(ends):
        raise UnsupportedError(f"{blocks} blocks of {graph.name} cannot run in patches; it has {len(ends)} that can")
    stage, rest = graph.operators[: ends[blocks - 1] + 1], graph.operators[ends[blocks - 1] + 1 :]
    height, width = _plane(graph, stage[-1].outputs[0])
    if not (1 <= bands <= height and 1 <= strips <= width):
        raise UnsupportedError(f"{bands}x{strips} patches of a map of {height}x{width}; each needs a row and a column")
    rows = {border: _spans(graph, stage, divide(height, bands), 0, border) for border in BORDERS}
    columns = {border: _spans(graph, stage, divide(width, strips), 1, border) for border in BORDERS}
    largest = {tensor: _largest(graph, tensor, rows["full"], columns["full"]) for tensor in rows["full"][0]}
    patch_height, patch_width = largest[graph.inputs[0]]
    return PatchFigures(
        blocks=blocks,
        bands=bands,
        strips=strips,
        patch_height=patch_height,
        patch_width=patch_width,
        stage_macs=_macs(graph, stage),
        total_macs=_macs(graph, graph.operators),
        patch_macs={border: _patch_macs(graph, stage, rows[border], columns[border]) for border in BORDERS},
        peak_bytes=max(_layer_bytes(graph, operator) for operator in graph.operators),
        stage_peak_bytes=_stage_peak(graph, stage, largest),
        rest_peak_bytes=max((_layer_bytes(graph, operator) for operator in rest), default=0),
    )


def _plane(graph: Graph, tensor: int) -> tuple[int, int]:
    shape = graph.tensor(tensor).shape
    return shape[1], shape[2]


def _macs(graph: Graph, operators: Sequence[Operator]) -> int:
    return sum(operator_type(operator.kind).macs(graph, operator) for operator in operators)


def _spans(graph: Graph, stage: Sequence[Operator], parts: Sequence[Span], axis: int, border: Border) -> _Spans:
    """For each part of the stage's output the rows (axis 0) or columns (1) that it needs of every tensor.

    They may start below 0 and end beyond the tensor, where the border is not clipped.
    """
    spans: list[Mapping[int, Span]] = []
    for part in parts:
        needed = {stage[-1].outputs[0]: part}
        for operator in reversed(stage):
            window = operator_type(operator.kind).window(graph, operator)
            assert window is not None
            for tensor in graph.activations(operator):
                read = _read(window, needed[operator.outputs[0]], axis, tensor.shape[1 + axis], border)
                before = needed.get(tensor.index, read)
                needed[tensor.index] = Span(min(before.first, read.first), max(before.end, read.end))
        spans.append(needed)
    return spans


def _read(window: Window, made: Span, axis: int, size: int, border: Border) -> Span:
    """What an operator reads along one axis of `size` to make `made`."""
    kernel, stride, dilation, pad = (
        (window.kernel_h, window.stride_h, window.dilation_h, window.pad_top),
        (window.kernel_w, window.stride_w, window.dilation_w, window.pad_left),
    )[axis]
    first = made.first * stride - pad
    end = (made.end - 1) * stride - pad + (kernel - 1) * dilation + 1
    if border == "full":
        return Span(first, end)
    beyond = kernel // 2 * dilation if border == "padded" else 0
    return Span(max(first, -min(pad, beyond)), min(end, size + beyond))


def _largest(graph: Graph, tensor: int, rows: _Spans, columns: _Spans) -> tuple[int, int]:
    """Rows and columns of the largest patch; no patch needs more than the whole map."""
    height, width = _plane(graph, tensor)
    return min(height, max(r[tensor].size for r in rows)), min(width, max(c[tensor].size for c in columns))


def _patch_macs(graph: Graph, stage: Sequence[Operator], rows: _Spans, columns: _Spans) -> int:
    """MACs of the stage over all patches: each makes all of its rows and columns itself."""
    total = 0
    for operator in stage:
        output = operator.outputs[0]
        height, width = _plane(graph, output)
        a_pixel = operator_type(operator.kind).macs(graph, operator) // (height * width)
        total += a_pixel * sum(r[output].size for r in rows) * sum(c[output].size for c in columns)
    return total


def _layer_bytes(graph: Graph, operator: Operator) -> int:
    """Input and output of a layer; a depthwise convolution or an addition writes over (one of) its inputs."""
    read = [tensor.bytes for tensor in graph.activations(operator)]
    made = sum(graph.tensor(output).bytes for output in operator.outputs)
    if operator.kind in _IN_PLACE:
        return max(sum(read), sum(read) - read[0] + made)
    return sum(read) + made


def _stage_peak(graph: Graph, stage: Sequence[Operator], largest: Mapping[int, tuple[int, int]]) -> int:
    """The stage's output and the patches of one layer, at most. The last layer writes into the stage's output."""
    peak = 0
    for operator in stage:
        read = [_patch_bytes(graph, tensor.index, largest) for tensor in graph.activations(operator)]
        made = 0 if operator is stage[-1] else _patch_bytes(graph, operator.outputs[0], largest)
        in_place = operator.kind in _IN_PLACE
        peak = max(peak, max(sum(read), sum(read) - read[0] + made) if in_place else sum(read) + made)
    return peak + graph.tensor(stage[-1].outputs[0]).bytes


def _patch_bytes(graph: Graph, tensor: int, largest: Mapping[int, tuple[int, int]]) -> int:
    whole = graph.tensor(tensor)
    rows, columns = largest[tensor]
    return rows * columns * (whole.bytes // (whole.shape[1] * whole.shape[2]))
