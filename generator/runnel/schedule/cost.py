# SPDX-License-Identifier: Apache-2.0
"""Predicted instructions of the kernels, from shapes alone: what decides between schedules of equal bytes.

The coefficients are instructions of the DSP kernels on an emulated Cortex-M7: fitted to single kernels over the shapes
of the zoo's layers, then scaled so that whole networks come out right (five networks, within 2 %). Other cores differ
by a factor that is much the same for all kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import Activation, Integers, Network

Cycles = npt.NDArray[np.float64]
Work = Literal["pointwise", "convolution", "depthwise", "element-wise", "pool", "copy"]


@dataclass(frozen=True)
class Coefficients:
    """Instructions.

    multiply: for each multiply-accumulate of an output element, depthwise rows of a kernel rounded up to 4 taps.
    output: for each output element beside that. gather: for each input element of a pixel's window, whatever the number
    of output channels. channel: for each channel of a call. call: for each call. tile: pixels that are computed at
    once. odd: what pixels that fill no tile cost beside their own, in pixels.
    """

    multiply: float
    output: float
    gather: float = 0.0
    channel: float = 0.0
    call: float = 60.0
    tile: int = 1
    odd: float = 0.0


STREAMED: Mapping[Work, Coefficients] = {
    "pointwise": Coefficients(1.12, 15.5, gather=2.0, call=90.0, tile=2, odd=0.7),
    "convolution": Coefficients(1.12, 18.0, gather=6.2, call=120.0, tile=2, odd=0.7),
    "depthwise": Coefficients(1.62, 7.5, channel=32.0, call=90.0, tile=4, odd=0.65),
    "element-wise": Coefficients(0.0, 26.0),
    "pool": Coefficients(0.0, 8.0, gather=6.0),
    "copy": Coefficients(0.0, 3.0),
}
FROM_COLUMNS = Coefficients(1.12, 15.5, call=90.0, tile=2, odd=0.7)
"""A 1x1 convolution that reads int16 columns."""
WHOLE: Mapping[Work, Coefficients] = {
    "pointwise": Coefficients(1.61, 13.5, gather=0.3, tile=2, odd=0.7),
    "convolution": Coefficients(1.61, 13.5, gather=2.6, tile=2, odd=0.7),
    "depthwise": Coefficients(2.0, 6.3, channel=26.0, tile=4, odd=0.65),
    "element-wise": Coefficients(0.0, 25.0),
    "pool": Coefficients(0.0, 8.0, gather=6.0),
    "copy": Coefficients(0.0, 4.7),
}
STEP = 60.0
"""Instructions between two rows: which step is next, and where its rows lie."""


def streamed_cycles(network: Network, columns: Mapping[int, Columns], strips: Strips, group: int) -> Cycles:
    """[place, end, count]: instructions of each operator by rows, with int16 columns of `group` pixels (0: rows)."""
    size = (network.count, network.count + 1, len(strips.counts))
    cycles = np.zeros(size)
    for place, one in enumerate(network.places):
        if one.form is None:
            continue
        ends = slice(place + 1, None)
        counted = network.activations[one.by_rows[0] if one.form.form == "sums" else one.output]
        made = columns[counted.number]
        width = np.clip(made.width[ends], 0, counted.width)
        row = _row(network, place, width, group)
        total = np.add.reduceat(row, strips.starts, axis=1)
        cycles[place, ends] = made.rows[ends, None] * (total + STEP * np.array(strips.counts))
        if one.form.form == "planes" and not _comes_as_planes(network, place):
            source = network.activations[one.by_rows[0]]
            copied = STREAMED["copy"].output * source.width * source.channels + STREAMED["copy"].call + STEP
            cycles[place, ends] += copied * source.height
    return cycles


def _row(network: Network, place: int, width: Integers, group: int) -> Cycles:
    """One row of `width` pixels; a group at a time where int16 columns are written or read."""
    work, taps, inputs = _work(network, place)
    channels = network.activations[network.places[place].output].channels
    reads = network.writes_columns(place - 1)
    kernel = FROM_COLUMNS if reads else STREAMED[work]
    if not group or not (reads or network.writes_columns(place)):
        return kernel_cycles(kernel, channels, taps, inputs, width)
    whole = kernel_cycles(kernel, channels, taps, inputs, np.array(group))
    rest = kernel_cycles(kernel, channels, taps, inputs, width % group)
    return np.asarray(width // group * whole + np.where(width % group > 0, rest, 0.0))


def _comes_as_planes(network: Network, place: int) -> bool:
    """Whether the step before writes the channel planes itself."""
    source = network.activations[network.places[place].by_rows[0]]
    before = network.places[source.made].form if source.made >= 0 else None
    return before is not None and before.writes_planes and len(source.readers) == 1


def kernel_cycles(kernel: Coefficients, channels: int, taps: float, inputs: float, pixels: Integers) -> Cycles:
    """One call that makes so many pixels of `channels` channels, of `taps` multiplications each."""
    computed = pixels + kernel.odd * (pixels % kernel.tile > 0)
    each = channels * (kernel.multiply * taps + kernel.output) + kernel.gather * inputs
    return np.asarray(computed * each + kernel.channel * channels + kernel.call, dtype=np.float64)


def _work(network: Network, place: int) -> tuple[Work, float, float]:
    """What an operator does, multiplications for each output element, and input elements for each pixel."""
    one = network.places[place]
    output = network.activations[one.output]
    if one.form is None or not one.by_rows:
        return "element-wise", one.macs / max(1, int(np.prod(output.shape))), 0.0
    source, window = network.activations[one.by_rows[0]], one.form.window
    if one.form.form == "sums":
        return "pool", 0.0, 0.0
    if one.form.form == "planes":
        return "depthwise", window.kernel_h * float(-(-window.kernel_w // 4) * 4), 0.0
    if not one.macs:
        covered = window.kernel_h * window.kernel_w * source.channels
        return ("element-wise", 0.0, 0.0) if one.form.form == "pixels" else ("pool", 0.0, float(covered))
    taps = one.macs / max(1, int(np.prod(output.shape)))
    return ("pointwise" if one.form.form == "pixels" else "convolution"), taps, taps


def layer_cycles(network: Network, place: int) -> float:
    """Instructions of an operator on whole tensors."""
    one = network.places[place]
    if one.footprint.calls == 0:
        return 0.0
    work, taps, inputs = _work(network, place)
    output = network.activations[one.output]
    source: Activation = network.activations[one.by_rows[0]] if one.by_rows else output
    counted = source if one.form is not None and one.form.form == "sums" else output
    pixels = max(1, int(np.prod(counted.shape)) // counted.channels)
    if work == "depthwise":
        return _whole_depthwise(output, source, taps)
    return float(kernel_cycles(WHOLE[work], counted.channels, taps, inputs, np.array(pixels))) + STEP


def _whole_depthwise(output: Activation, source: Activation, taps: float) -> float:
    """Channel by channel: copied into a plane, then row by row."""
    rows = kernel_cycles(WHOLE["depthwise"], output.channels, taps, 0.0, np.array(output.width)) * output.height
    copied = WHOLE["copy"].output * source.height * source.width * source.channels
    return float(rows + copied) + STEP
