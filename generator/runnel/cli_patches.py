# SPDX-License-Identifier: Apache-2.0
"""The command patches: what MCUNetV2's patches would cost a network, in the paper's accounting and in ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from runnel import zoo
from runnel.cli_options import existing_model, json_option
from runnel.cli_print import console, print_json, progress
from runnel.compiler import load_model
from runnel.graph import Graph
from runnel.report.patch_picture import draw_patches
from runnel.report.plot import need_matplotlib
from runnel.report.text import kilobytes, millions
from runnel.schedule.patches import BORDERS, Border, PatchFigures, default_blocks, patch_figures

_BORDER_TEXT: Mapping[Border, str] = {
    "full": "full patches at the border too",
    "padded": "padding computed, nothing beyond",
    "clipped": "clipped at the border (Runnel)",
}


def _grid(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    """Bands (rows of patches) and strips (columns)."""
    match = re.fullmatch(r"([1-9][0-9]*)[x×]([1-9][0-9]*)", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is no grid; write rows x columns of patches, for example 4x4")
    return int(match[1]), int(match[2])


@click.command("patches")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--grid", callback=_grid, default="4x4", show_default=True, metavar="ROWSxCOLUMNS", help="Of patches.")
@click.option(
    "--blocks", type=click.IntRange(1), metavar="N",
    help="How many blocks run in patches, the first convolution is one.  [default: until the map is down 8 times]",
)  # fmt: skip
@click.option(
    "--figure", type=click.Path(path_type=Path), metavar="FILE",
    help="Also draw peak memory over blocks and MACs over patches as PNG (Figure 8 of the MCUNetV2 paper).",
)  # fmt: skip
@json_option
def patches_command(
    models: tuple[str, ...], grid: tuple[int, int], blocks: int | None, figure: Path | None, as_json: bool
) -> None:
    """Shows what it costs to run the first blocks of MODEL patch by patch, as MCUNetV2 does.

    MODEL is a .tflite file or a network of `runnel zoo`. Peaks are in MCUNetV2's accounting: input and output of a
    layer together, activations only. Runnel streams rows instead, which computes nothing twice; `runnel plan` says
    what that takes, everything counted.

    \b
    Example: Table 1 and Figure 8 of the paper
      runnel patches mbv2-1.0 mbv2-rd --figure patches.png
    """
    graphs = [_graph(model) for model in models]
    need_matplotlib(figure)
    results = [patch_figures(graph, default_blocks(graph) if blocks is None else blocks, *grid) for graph in graphs]
    if figure is not None:
        with progress(as_json) as report:
            report(f"drawing {figure}")
            draw_patches(graphs, figure)
    if as_json:
        print_json({"networks": [_json(graph, result) for graph, result in zip(graphs, results, strict=True)]})
        return
    for graph, result in zip(graphs, results, strict=True):
        _print(graph, result)
    if figure is not None:
        console.print(f"Wrote {figure}", highlight=False, markup=False, soft_wrap=True)


def _graph(model: str) -> Graph:
    """A file's network, or that of the zoo where there is no such file."""
    path = Path(model)
    if not path.exists() and path.suffix != ".tflite" and len(path.parts) == 1:
        return zoo.network(model)
    return load_model(existing_model(path)).replace(name=path.stem)


def _json(graph: Graph, result: PatchFigures) -> dict[str, Any]:
    return {
        "model": graph.name,
        "blocks": result.blocks,
        "grid": [result.bands, result.strips],
        "patch": [result.patch_height, result.patch_width],
        "stage_macs": result.stage_macs,
        "total_macs": result.total_macs,
        "patch_stage_macs": dict(result.patch_macs),
        "stage_overhead": {border: round(result.stage_overhead(border), 4) for border in BORDERS},
        "total_overhead": {border: round(result.total_overhead(border), 4) for border in BORDERS},
        "peak_bytes": result.peak_bytes,
        "patch_peak_bytes": result.patch_peak_bytes,
    }


def _print(graph: Graph, result: PatchFigures) -> None:
    image = graph.tensor(graph.inputs[0]).shape
    console.print(
        f"{graph.name}: first {result.blocks} blocks in {result.bands}×{result.strips} patches, each reads up to "
        f"{result.patch_height}×{result.patch_width} of the {image[1]}×{image[2]} image",
        highlight=False,
        markup=False,
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("patches", "MACs of the stage", "again", "MACs of all", "again"):
        table.add_column(heading, justify="left" if heading == "patches" else "right")
    table.add_row("layer by layer", millions(result.stage_macs), "–", millions(result.total_macs), "–")
    for border in BORDERS:
        total = result.total_macs + result.patch_macs[border] - result.stage_macs
        table.add_row(
            _BORDER_TEXT[border],
            millions(result.patch_macs[border]),
            f"+{result.stage_overhead(border):.1%}",
            millions(total),
            f"+{result.total_overhead(border):.1%}",
        )
    console.print(table)
    console.print(
        f"peak, input and output of a layer: {_whole_kilobytes(result.peak_bytes)} layer by layer, "
        f"{_whole_kilobytes(result.patch_peak_bytes)} with patches ({kilobytes(result.stage_peak_bytes)} in the "
        f"patches, {kilobytes(result.rest_peak_bytes)} in the layers after them)\n",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _whole_kilobytes(count: int) -> str:
    """In the unit of the paper's table."""
    return f"{count / 1024:.0f} kB"
