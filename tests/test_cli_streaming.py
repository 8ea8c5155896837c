# SPDX-License-Identifier: Apache-2.0
"""The options that decide how a model streams, and the commands that show it: plan, report, compare."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from console import Console
from runnel import zoo
from runnel.tflite.writer import write_tflite
from small_graphs import activation, graph, operator

NET = zoo.Architecture(
    "small", 48, 40, 4, 3, 2, 8, (zoo.Block(3, 8, 1, 8), zoo.Block(3, 24, 1, 8), zoo.Block(5, 32, 2, 16)), None
)
BOARD = ("--board", "qemu-m7")

needs_qemu = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="arm-none-eabi-gcc or qemu-system-arm is not installed: ./scripts/setup test",
)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNNEL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "net.tflite"
    path.write_bytes(write_tflite(zoo.build(NET)))
    return path


def test_each_option_takes_less_sram_than_the_one_before(console: Console, model: Path) -> None:
    layers, stored, pulled, more = (
        console.json("plan", model, *BOARD, *options.split())
        for options in ("--layers", "", "--input pulled", "--input pulled --max-overhead 60 --input-passes 8")
    )
    assert layers["arena_bytes"] > stored["arena_bytes"] > pulled["arena_bytes"] > more["arena_bytes"]
    assert [p["input_passes"] for p in (layers, stored, pulled)] == [0, 0, 1]
    assert layers["macs_overhead"] == stored["macs_overhead"] == pulled["macs_overhead"] == 0
    assert 0 < more["macs_overhead"] <= 0.6 and 1 <= more["input_passes"] <= 8
    for plan in (layers, stored, pulled, more):
        assert plan["predicted_bytes"] == plan["arena_bytes"] == plan["arena_lower_bound_bytes"]
    assert all(segment["runs"] == "on whole tensors" for segment in layers["segments"])
    numbers = [n for segment in pulled["segments"] for n in segment["operators"]]
    assert numbers == [n for segment in layers["segments"] for n in segment["operators"]], "each operator once"
    assert sum(segment["macs"] for segment in more["segments"]) == more["macs"]


def test_latency_uses_the_sram_that_there_is(console: Console, model: Path) -> None:
    least = console.json("plan", model, *BOARD)
    roomy = console.json("plan", model, *BOARD, "--objective", "latency", "--sram", least["arena_bytes"] + 2000)
    assert least["arena_bytes"] <= roomy["arena_bytes"] <= least["arena_bytes"] + 2000
    assert roomy["objective"] == "latency"


def test_the_plan_is_said_in_words(console: Console, model: Path) -> None:
    code, out, _ = console("plan", model, *BOARD, "--input", "pulled")
    assert code == 0
    assert re.search(r"input_passes +1 \(input pulled in one pass\)", out)
    assert "no layout is smaller; as the scheduler predicted" in out
    assert re.search(r"planes_\S+ .* ring  ", out)
    assert max(map(len, out.splitlines())) < 180, "wide, but less than a screen's two halves"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--input-passes 2", "needs --input pulled"),
        ("--layers --input pulled", "--layers stores the input"),
        ("--layers --max-overhead 5", "--layers stores the input"),
        ("--objective flash --input pulled", "leave out --input pulled"),
        ("--max-overhead -1", "is not a percentage"),
        ("--max-overhead much", "is not a percentage"),
        ("--input-passes 0", "--input-passes"),
        ("--input camera", "'stored', 'pulled'"),
    ],
)
def test_options_that_cannot_be(console: Console, model: Path, options: str, message: str) -> None:
    code, _, err = console("plan", model, *BOARD, *options.split())
    assert code == 2
    assert message in err


def test_a_model_without_an_image_cannot_be_pulled(console: Console, testdata: Path) -> None:
    model = testdata / "models" / "tflm_hello_world_int8.tflite"
    code, _, err = console("plan", model, *BOARD, "--input", "pulled")
    assert code == 2
    assert "one image as its input" in err


def test_why_an_image_cannot_be_pulled(console: Console, tmp_path: Path) -> None:
    quantize = operator(0, "QUANTIZE", [0], [1])
    relu = operator(1, "RELU", [1], [2])
    images = [activation(0, (1, 6, 6, 3), None, "float32"), *(activation(n, (1, 6, 6, 3)) for n in (1, 2))]
    path = tmp_path / "float.tflite"
    path.write_bytes(write_tflite(graph(images, [quantize, relu], [0], [2])))
    code, _, err = console("plan", path, *BOARD, "--input", "pulled", "--edges", "original")
    assert code == 2
    assert "operator 0 (QUANTIZE) needs whole tensors, and it reads the image" in err and "use --edges int8" in err
    assert console.json("plan", path, *BOARD, "--input", "pulled")["input_passes"] == 1


def test_a_plan_file_that_does_not_suit(console: Console, model: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert console("compile", model, *BOARD, "-o", made, "--quiet")[0] == 0
    other = tmp_path / "other.tflite"
    other.write_bytes(write_tflite(zoo.build(replace(NET, width=48))))
    for arguments, message in (
        ((model, "--plan", made / "plan.json", "--input", "pulled"), "this plan stores the input"),
        ((other, "--plan", made / "plan.json"), "is of another model"),
        ((model, "--plan", model), "is no plan file"),
        ((model, "--plan", tmp_path), "cannot be read: Is a directory"),
    ):
        code, _, err = console("plan", *arguments, *BOARD)
        assert code == 2 and message in err, err


def test_what_does_not_fit_says_which_options_would_help(console: Console, model: Path) -> None:
    stored, pulled, more, most = (
        console.json("plan", model, *BOARD, *options.split())["arena_bytes"]
        for options in (
            "",
            "--input pulled",
            "--input pulled --max-overhead 10",
            "--input pulled --max-overhead 20 --input-passes 4",
        )
    )
    assert most < more < pulled < stored

    def advice(*options: object) -> str:
        code, _, err = console("plan", model, *BOARD, *options)
        assert code == 2 and "The peak is at step" in err
        return str(err[err.index("What would help") :])

    assert f"help: --input pulled ({pulled:,} bytes, which fit);" in advice("--sram", pulled)
    assert f"help: leaving out --layers ({stored:,} bytes, which fit);" in advice("--sram", stored, "--layers")
    for given in ((), ("--input", "pulled")):
        text = advice("--sram", more, *given)
        assert f"help: --input pulled --max-overhead 10 ({more:,} bytes, which fit);" in text
        text = advice("--sram", most, *given)
        assert f"help: --input pulled --max-overhead 20 --input-passes 4 ({most:,} bytes, which fit);" in text
    text = advice("--sram", "1K")
    assert "nothing that was tried" in text and f"the least is {most:,} bytes with --input pulled" in text


def test_a_model_that_cannot_be_pulled_is_not_told_to(console: Console, testdata: Path) -> None:
    code, _, err = console("plan", testdata / "models" / "tflm_hello_world_int8.tflite", *BOARD, "--sram", "16")
    assert code == 2
    assert "does not fit" in err and "--input pulled" not in err


def test_the_front_begins_with_the_least_sram_and_ends_with_no_more_work(console: Console, model: Path) -> None:
    options = ("--input", "pulled", "--max-overhead", "100", "--input-passes", "8")
    front = console.json("plan", model, *BOARD, *options, "--pareto")["front"]
    least = console.json("plan", model, *BOARD, *options)
    assert front[0]["sram"] == least["arena_bytes"]
    assert len(front) > 2
    for point, following in pairwise(front):
        assert point["sram"] <= following["sram"]
        assert point["macs"] > following["macs"] or point["cycles"] > following["cycles"]
    assert front[-1]["overhead"] == 0
    code, out, _ = console("plan", model, *BOARD, *options, "--pareto")
    assert code == 0
    assert "predicted cycles" in out and f"{front[0]['sram']:,}" in out
    assert "To take a line: --input pulled --objective latency --sram BYTES" in out and "there may be more" not in out
    assert (
        "with --input-passes 4 there may be more lines" in console("plan", model, *BOARD, *options[:2], "--pareto")[1]
    )


def test_every_line_of_the_front_can_be_taken(console: Console, model: Path) -> None:
    options = ("--input", "pulled", "--input-passes", "4")
    for point in console.json("plan", model, *BOARD, *options, "--max-overhead", "100", "--pareto")["front"]:
        limits = ("--sram", point["sram"], "--max-overhead", f"{point['overhead'] * 100 + 0.05:.1f}")
        taken = console.json("plan", model, *BOARD, *options, "--objective", "latency", *limits)
        assert (taken["arena_bytes"], taken["macs"]) == (point["sram"], point["macs"])


@pytest.mark.parametrize("command", ["plan", "report"])
def test_without_streaming_there_is_nothing_to_choose_from(console: Console, model: Path, command: str) -> None:
    code, _, err = console(command, model, *BOARD, "--layers", "--pareto")
    assert code == 2
    assert "leave out --layers or --pareto" in err


def test_pictures_and_pages(console: Console, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'runnel[plot]'")
    for arguments in (
        ("plan", model, *BOARD, "--png", tmp_path / "plan.png"),
        ("plan", model, *BOARD, "--pareto", "--png", tmp_path / "front.png"),
        ("report", model, *BOARD, "--input", "pulled", "--png", tmp_path / "report.png"),
        ("report", model, *BOARD, "-o", tmp_path / "report.html", "--pareto"),
    ):
        code, _, err = console(*arguments)
        assert code == 0, err
    for name in ("plan.png", "front.png", "report.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG" and picture.width > 1000
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 2 and "What else could be chosen" in page


def test_without_matplotlib_the_message_says_how_to_get_it(
    console: Console, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    code, _, err = console("plan", model, *BOARD, "--png", tmp_path / "plan.png")
    assert code == 2
    assert f"{sys.executable} -m pip install matplotlib" in err
    assert not (tmp_path / "plan.png").exists()


@needs_qemu
@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("options", ["", "--input pulled", "--input pulled --max-overhead 60 --input-passes 8"])
def test_run_streams_bit_for_bit(console: Console, model: Path, options: str) -> None:
    figures = console.json("run", model, *BOARD, "--random", "2", *options.split())
    assert figures["mismatches"] == 0
    assert figures["predicted_bytes"] == figures["arena_bytes"]
    assert figures["sram_bytes"] == figures["arena_bytes"] + figures["stack_bytes"], "no other static RAM"


def test_compare_says_what_differs(console: Console, model: Path, tmp_path: Path) -> None:
    for name, options in (("layers", ["--layers"]), ("pulled", ["--input", "pulled"])):
        assert console("compile", model, *BOARD, "-o", tmp_path / name, *options)[0] == 0
    page = tmp_path / "difference.html"
    first, second = tmp_path / "layers", tmp_path / "pulled" / "plan.json"
    figures = console.json("compare", first, second, "-o", page)
    made = console.json("plan", model, *BOARD, "--input", "pulled")
    assert figures["second"]["arena_bytes"] == made["arena_bytes"]
    assert figures["difference"]["arena_bytes"] == made["arena_bytes"] - figures["first"]["arena_bytes"] < 0
    assert figures["second"]["input_passes"] == 1
    code, out, _ = console("compare", first, second)
    assert code == 0
    assert "SRAM (arena), bytes" in out and "input pulled" in out
    assert page.read_text().count("<svg") == 2
    same = console.json("compare", second, model, *BOARD, "--input", "pulled")
    assert set(same["difference"].values()) == {0}
    assert same["first"] | {"model": ""} == same["second"] | {"model": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [("{}", "not a plan"), ("[1", "damaged"), ('{"format": "runnel-plan-1"}', "plan"), (None, "no such file")],
)
def test_compare_refuses_what_is_no_plan(
    console: Console, model: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    bad = tmp_path / "plan.json"
    if content is not None:
        bad.write_text(content)
    code, _, err = console("compare", bad, model, *BOARD)
    assert code == 2
    assert message in err and "plan.json" in err


def test_compare_says_what_a_folder_lacks(console: Console, model: Path, tmp_path: Path) -> None:
    code, _, err = console("compare", tmp_path, model, *BOARD)
    assert code == 2
    assert "there is no plan.json in this folder" in err and "Errno" not in err
    assert err.count(str(tmp_path)) == 1
    code, _, err = console("compare", model, tmp_path / "nothing", *BOARD)
    assert code == 2
    assert "there is no such file or folder" in err


def test_compare_needs_a_board_for_a_model(console: Console, model: Path) -> None:
    code, _, err = console("compare", model, model)
    assert code == 2
    assert "--board" in err


def test_a_saved_plan_decides_about_the_input_unless_told_otherwise(
    console: Console, model: Path, tmp_path: Path
) -> None:
    plans = {mode: tmp_path / mode / "plan.json" for mode in ("stored", "pulled")}
    for mode, plan in plans.items():
        assert console("compile", model, *BOARD, "-o", plan.parent, "--input", mode)[0] == 0
        assert console.json("plan", model, *BOARD, "--plan", plan)["input_passes"] == (mode == "pulled")
        assert console("plan", model, *BOARD, "--plan", plan, "--input", mode)[0] == 0
    for mode, other in (("stored", "pulled"), ("pulled", "stored")):
        code, _, err = console("plan", model, *BOARD, "--plan", plans[other], "--input", mode)
        assert code == 2
        assert f"leave out --input {mode} or --plan" in err
