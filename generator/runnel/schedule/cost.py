# SPDX-License-Identifier: Apache-2.0
"""Predicted instructions of the kernels, from shapes alone: what decides between schedules of equal bytes.

Coefficients are instructions on a core with DSP instructions and come from runs on an emulated Cortex-M7
(docs/streaming.md); other cores are slower, in about the same proportions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import Activation, Integers, Network, Place

Cycles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coefficients:
    """Instructions.

    multiply: for each multiply-accumulate. output: for each output element (requantization and store). pixel: for each
    output pixel. row: for each call of a row kernel, or of a group of columns. channel: for each channel of such a call.
    pair: pixels are computed two at a time, an odd one as two.
    """

    multiply: float
    output: float
    pixel: float
    row: float
    channel: float = 0.0
    pair: bool = False


POINTWISE = Coefficients(2.0, 9.0, 4.0, 60.0, channel=6.0, pair=True)
"""1x1 convolution."""
CONVOLUTION = Coefficients(2.2, 9.0, 60.0, 60.0, channel=6.0, pair=True)
"""k x k convolution: a window is gathered for each pixel."""
DEPTHWISE = Coefficients(2.0, 10.0, 0.0, 60.0, channel=30.0)
"""Multiplications are counted with rows of the kernel rounded up to 4 taps."""
ELEMENTWISE = Coefficients(0.0, 24.0, 0.0, 50.0)
POOL = Coefficients(0.0, 8.0, 20.0, 50.0)
COPY = Coefficients(0.0, 2.0, 4.0, 40.0)
"""Also of rows into channel planes."""

CALL = 40.0
"""Instructions between two rows: which step is next, and its pointers."""


def streamed_cycles(
    network: Network, columns: dict[int, Columns], strips: Strips, group: int, paired: npt.NDArray[np.bool_]
) -> Cycles:
    """[place, end, count]: instructions of each operator's row kernel, with int16 columns of `group` pixels (0: rows).

    paired: [place, end], where a depthwise convolution writes such columns.
    """
    size = (network.count, network.count + 1, len(strips.counts))
    cycles = np.zeros(size)
    for place, one in enumerate(network.places):
        if one.form is None:
            continue
        ends = slice(place + 1, None)
        sums = one.form.form == "sums"
        made = columns[one.by_rows[0] if sums else one.output]
        width = np.clip(made.width[ends], 0, network.activations[one.output if not sums else one.by_rows[0]].width)
        grouped = paired[place, ends] | (paired[place - 1, ends] if place else False)
        row = row_cycles(network, place, width)
        if group and np.any(grouped):
            row = np.where(grouped[:, None], _in_groups(network, place, width, group), row)
        total = np.add.reduceat(row, strips.starts, axis=1)
        cycles[place, ends] = made.rows[ends, None] * (total + CALL * np.array(strips.counts))
        if one.form.form == "planes" and not _planes_come_free(network, place):
            source = network.activations[one.by_rows[0]]
            extra = COPY.output * source.width * source.channels + COPY.row + CALL
            cycles[place, ends] += extra * source.height
    return cycles


def _in_groups(network: Network, place: int, width: Integers, group: int) -> Cycles:
    whole = row_cycles(network, place, np.full((1, 1), group))
    rest = row_cycles(network, place, width % group)
    return np.asarray(width // group * whole + np.where(width % group > 0, rest, 0.0))


def _planes_come_free(network: Network, place: int) -> bool:
    """Whether the step before writes the channel planes itself."""
    source = network.activations[network.places[place].by_rows[0]]
    before = network.places[source.made] if source.made >= 0 else None
    return before is not None and before.form is not None and before.form.writes_planes and len(source.readers) == 1


def row_cycles(network: Network, place: int, width: Integers) -> Cycles:
    """Instructions of one call that makes `width` pixels of a row."""
    one = network.places[place]
    output = network.activations[one.output]
    source = network.activations[one.by_rows[0]] if one.by_rows else output
    kind, taps = _kernel(one, source, output)
    pixels = (width + 1) // 2 * 2 if kind.pair else width
    each = kind.multiply * taps + kind.output * output.channels + kind.pixel
    return np.asarray(pixels * each + kind.channel * output.channels + kind.row, dtype=np.float64)


def _kernel(one: Place, source: Activation, output: Activation) -> tuple[Coefficients, float]:
    """The coefficients, and the multiply-accumulates of one output pixel."""
    elements = max(1, output.height * output.width)
    taps = one.macs / elements
    form = one.form
    if form is None or form.form == "sums":
        return POOL, taps
    window = form.window
    if form.form == "planes":
        return DEPTHWISE, output.channels * window.kernel_h * float(-(-window.kernel_w // 4) * 4)
    if not one.macs:
        return (ELEMENTWISE, 0.0) if form.form == "pixels" else (POOL, 0.0)
    return (POINTWISE if form.form == "pixels" else CONVOLUTION), taps


def layer_cycles(network: Network, place: int) -> float:
    """Instructions of an operator on whole tensors."""
    one = network.places[place]
    if one.footprint.calls == 0:
        return 0.0
    output = network.activations[one.output]
    if one.form is None:
        return POINTWISE.multiply * one.macs + ELEMENTWISE.output * float(np.prod(output.shape)) + CALL
    if one.form.form == "sums":
        source = network.activations[one.by_rows[0]]
        return float(row_cycles(network, place, np.array([source.height * source.width]))[0]) + CALL
    pixels = output.height * output.width
    if one.form.form == "planes":
        # whole channels are copied into a plane one after the other
        source = network.activations[one.by_rows[0]]
        copied = COPY.output * 2 * source.height * source.width * source.channels
        rows = row_cycles(network, place, np.array([output.width]))[0] * output.height
        return float(rows + copied + CALL)
    return float(row_cycles(network, place, np.array([pixels]))[0]) + CALL
