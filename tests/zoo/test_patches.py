# SPDX-License-Identifier: Apache-2.0
"""MCUNetV2's patches: Table 1 and Figure 8 of the paper, and the arithmetic against Runnel's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from runnel import zoo
from runnel.cli import execute
from runnel.errors import RunnelError
from runnel.operators import operator_type
from runnel.schedule.areas import patch_areas, row_forms
from runnel.schedule.patches import block_ends, default_blocks, patch_figures
from runnel.schedule.schedule import Segment, Streaming
from runnel.tflite.writer import write_tflite
from runnel.zoo.architecture import Architecture, Block


def millions(macs: int) -> int:
    return round(macs / 1e6)


def test_table_1_mobilenet_v2() -> None:
    graph = zoo.network("mbv2-1.0")
    assert default_blocks(graph) == 5  # the paper's n*: the first convolution and four bottlenecks
    result = patch_figures(graph, 5, 4, 4)
    assert (result.patch_height, result.patch_width) == (75, 75)
    assert millions(result.patch_macs["full"]) == 130
    assert f"{result.stage_overhead('full'):+.0%}" == "+42%"
    assert f"{result.total_overhead('padded'):+.0%}" == "+10%"
    assert abs(result.total_macs + result.patch_macs["padded"] - result.stage_macs - 330e6) < 1e6
    assert (round(result.peak_bytes / 1024), round(result.patch_peak_bytes / 1024)) == (1372, 172)


def test_table_1_redistributed() -> None:
    graph = zoo.network("mbv2-rd")
    assert 292e6 <= zoo.macs(graph) < 293e6
    result = patch_figures(graph, 4, 4, 4)
    assert default_blocks(graph) == 4  # one bottleneck less than MobileNetV2 has before the map is down 8 times
    assert (result.patch_height, result.patch_width) == (63, 63)
    assert 73e6 <= result.patch_macs["full"] < 74e6
    assert f"{result.stage_overhead('full'):+.0%}" == "+18%"
    assert f"{result.total_overhead('padded'):+.0%}" == "+3%"
    assert abs(result.total_macs + result.patch_macs["padded"] - result.stage_macs - 301e6) < 1e6
    assert (round(result.peak_bytes / 1024), round(result.patch_peak_bytes / 1024)) == (1372, 172)


@pytest.mark.parametrize(("name", "blocks"), [("mbv2-1.0", 5), ("mbv2-rd", 4)])
def test_clipping_at_the_border_is_cheaper(name: str, blocks: int) -> None:
    result = patch_figures(zoo.network(name), blocks, 4, 4)
    assert result.stage_macs < result.patch_macs["clipped"] < result.patch_macs["padded"] < result.patch_macs["full"]


def test_figure_8_five_blocks_and_four_by_four_patches_are_the_least() -> None:
    graph = zoo.network("mbv2-1.0")
    peaks = {(n, p): patch_figures(graph, n, p, p).patch_peak_bytes for n in range(1, 10) for p in (1, 2, 3, 4, 5, 6)}
    least = min(peaks.values())
    assert peaks[5, 4] == least
    assert all(peaks[5, p] > least for p in (1, 2, 3))
    assert all(peaks[n, 4] > least for n in range(1, 10) if n != 5)
    overheads = [patch_figures(graph, 5, p, p).total_overhead("full") for p in range(1, 8)]
    assert overheads == sorted(overheads)


def test_one_patch_is_layer_by_layer() -> None:
    for name in ("mcunet-in3", "mbv2-rd"):
        result = patch_figures(zoo.network(name), 5, 1, 1)
        assert result.patch_macs["clipped"] == result.stage_macs


@pytest.mark.parametrize("name", ["mcunet-in4", "proxyless-w0.3", "mcunet-vww2"])
@pytest.mark.parametrize("grid", [(4, 4), (3, 5), (1, 6)])
def test_clipped_patches_are_those_that_runnel_would_run(name: str, grid: tuple[int, int]) -> None:
    graph = zoo.network(name, height=90, width=121)
    blocks = 6
    stage = graph.operators[: block_ends(graph)[blocks - 1] + 1]
    segment = Segment("s", stage, graph.inputs, stage[-1].outputs, Streaming(strips=grid[1], bands=grid[0]))
    try:
        forms = row_forms(graph, segment)
    except ValueError as error:
        pytest.skip(f"not by rows yet: {error}")
    macs = 0
    for areas in patch_areas(graph, segment, forms):
        for operator in stage:
            output = graph.tensor(operator.outputs[0])
            area = areas[output.index]
            a_pixel = operator_type(operator.kind).macs(graph, operator) // (output.shape[1] * output.shape[2])
            macs += a_pixel * area.rows.size * area.columns.size
    assert patch_figures(graph, blocks, *grid).patch_macs["clipped"] == macs


def test_arithmetic_by_hand() -> None:
    # 16x16 image, 3x3 at stride 2 to 8x8, 1x1, 3x3 depthwise, 1x1 and the residual: in 2x2 patches each makes 4x4,
    # reads 6x6 of the map (5x5 in a corner), which takes 13x13 of the image (10 rows lie in it, and one of padding).
    own = Architecture("own", 16, 16, 2, 3, 2, 4, (Block(3, 8, 1, 4),), None)
    graph = zoo.network(own)
    assert block_ends(graph) == (0, 4)
    result = patch_figures(graph, 2, 2, 2)
    inner, project = 4 * 8, 8 * 4
    assert result.stage_macs == 64 * (27 * 4 + inner + 9 * 8 + project)
    assert result.patch_macs["full"] == 4 * (36 * (27 * 4 + inner) + 16 * (9 * 8 + project))
    assert result.patch_macs["clipped"] == 4 * (25 * (27 * 4 + inner) + 16 * (9 * 8 + project))
    assert (result.patch_height, result.patch_width) == (13, 13)
    output = 8 * 8 * 4
    assert result.stage_peak_bytes == output + max(13 * 13 * 3 + 36 * 4, 36 * 4 + 36 * 8, 36 * 8, 16 * 8 + 16 * 4)
    assert result.peak_bytes == max(16 * 16 * 3 + 64 * 4, 64 * (4 + 8))


@pytest.mark.parametrize(("blocks", "bands", "says"), [(0, 2, "blocks"), (99, 2, "blocks"), (5, 99, "patches")])
def test_what_cannot_be(blocks: int, bands: int, says: str) -> None:
    with pytest.raises(RunnelError, match=says):
        patch_figures(zoo.network("mbv2-1.0"), blocks, bands, 4)


def test_command_prints_the_table_for_names_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.tflite"
    file.write_bytes(write_tflite(zoo.build("mcunet-vww0")))
    assert execute(["patches", "mbv2-1.0", str(file), "--json"]) == 0
    large, small = json.loads(capsys.readouterr().out)["networks"]
    assert (large["patch"], large["grid"], small["model"]) == ([75, 75], [4, 4], "net")
    assert small["total_macs"] == zoo.architecture("mcunet-vww0").macs
    assert execute(["patches", "mbv2-1.0"]) == 0
    out = capsys.readouterr().out
    for shown in ("75×75", "129.5 M", "+41.9%", "+10.0%", "+9.3%", "1372 kB", "172 kB"):
        assert shown in out


def test_command_draws_figure_8(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'runnel[plot]'")
    file = tmp_path / "patches.png"
    assert execute(["patches", "mbv2-1.0", "mbv2-rd", "--figure", str(file)]) == 0
    with Image.open(file) as picture:
        assert picture.format == "PNG" and picture.width > 1000


@pytest.mark.parametrize(
    "arguments", [["no-such"], ["no-such.tflite"], ["mbv2-1.0", "--grid", "4"], ["mbv2-1.0", "--blocks", "50"]]
)
def test_wrong_use_is_one_message(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["patches", *arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and "runnel: " in error
