# SPDX-License-Identifier: Apache-2.0
"""Which operators cannot run in strips, for every end and strip count: the checks of `areas.py` in arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runnel.operators.base import Window
from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import Activation, Integers, Network


def unfit_strips(network: Network, columns: Mapping[int, Columns], strips: Strips) -> Integers:
    """[place, end, count]: 1 where the operator stands in the way of strips, else 0; only for counts above 1."""
    found = np.zeros((network.count, network.count + 1, len(strips.counts)), np.int64)
    for place, one in enumerate(network.places):
        if one.form is None:
            continue
        source = network.activations[one.by_rows[0]]
        if one.form.form == "sums":
            found[place, place + 2 :] = 1  # strips end with the global pool
            if source.made >= 0:
                # a window that reads what is pooled would have it made, and pooled, beyond the strip
                pooled = strips.total(columns[source.number].width)[place + 1]
                found[source.made, place + 1] = pooled != source.width
        elif one.form.form in ("window", "planes") and not one.form.source_rows:
            ends = slice(place + 1, None)
            found[place, ends] = _misses(one.form.window, columns[one.output], source, strips)[ends]
    return found


def _misses(window: Window, output: Columns, source: Activation, strips: Strips) -> Integers:
    """[end, count]: whether a window of some strip holds nothing but padding."""
    reach = (window.kernel_w - 1) * window.dilation_w - window.pad_left
    first = output.first * window.stride_w + reach < 0
    last = (output.end - 1) * window.stride_w - window.pad_left >= source.width
    rows = (window.kernel_h - 1) * window.dilation_h < window.pad_top
    below = (output.rows - 1) * window.stride_h - window.pad_top >= source.height
    return strips.most((first | last | rows | below[:, None]).astype(np.int64))
