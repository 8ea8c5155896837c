# SPDX-License-Identifier: Apache-2.0
"""MCUNetV2's Figure 8 for any network: peak memory over the number of blocks in patches, MACs over that of patches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runnel.graph import Graph
from runnel.report.plot import new_figure, save_png
from runnel.schedule.patches import block_ends, default_blocks, patch_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDES = (2, 3, 4, 5, 6, 7)
"""Patches along each side of the image; those that a map is too small for are left out."""

_SHOWN_SIDES = (2, 3, 4, 6)
_MOST_BLOCKS = 12
_COLOURS = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#666666")


def draw_patches(graphs: Sequence[Graph], file: Path) -> None:
    """Writes the picture as PNG: on the left the first network, on the right all of them. Raises RunnelError."""
    figure = new_figure(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    _draw_peaks(left, graphs[0])
    _draw_overheads(right, graphs)
    figure.tight_layout()
    save_png(figure, file)


def _side_limit(graph: Graph, blocks: int) -> int:
    shape = graph.tensor(graph.operators[block_ends(graph)[blocks - 1]].outputs[0]).shape
    return min(shape[1], shape[2])


def _draw_peaks(axes: Axes, graph: Graph) -> None:
    blocks = range(1, min(_MOST_BLOCKS, len(block_ends(graph))) + 1)
    for colour, side in zip(_COLOURS, _SHOWN_SIDES, strict=False):
        shown = [n for n in blocks if side <= _side_limit(graph, n)]
        peaks = [patch_figures(graph, n, side, side).patch_peak_bytes / 1024 for n in shown]
        axes.plot(shown, peaks, marker="o", markersize=4, color=colour, label=f"{side}×{side} patches")
    whole = patch_figures(graph, 1, 1, 1).peak_bytes / 1024
    axes.axhline(whole, linestyle="--", color="black", linewidth=1, label="layer by layer")
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xticks(blocks)
    axes.set_title(f"{graph.name}: peak memory")
    axes.set_xlabel("blocks in patches")
    axes.set_ylabel("kB of activations, input and output of a layer")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _draw_overheads(axes: Axes, graphs: Sequence[Graph]) -> None:
    for colour, graph in zip(_COLOURS, graphs, strict=False):
        blocks = default_blocks(graph)
        sides = [side for side in SIDES if side <= _side_limit(graph, blocks)]
        figures = [patch_figures(graph, blocks, side, side) for side in sides]
        name = f"{graph.name}, {blocks} blocks"
        axes.plot(sides, [100 * f.total_overhead("padded") for f in figures], marker="o", markersize=4, color=colour,
                  label=f"{name}: MCUNetV2")  # fmt: skip
        axes.plot(sides, [100 * f.total_overhead("clipped") for f in figures], marker="s", markersize=4, color=colour,
                  linestyle=":", label=f"{name}: halos clipped")  # fmt: skip
    axes.axhline(0, color="black", linewidth=1, label="rows (Runnel's streaming)")
    axes.set_xticks(SIDES)
    axes.set_title("MACs computed again")
    axes.set_xlabel("patches along each side")
    axes.set_ylabel("% of the network's MACs")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
