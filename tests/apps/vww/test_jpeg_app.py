# SPDX-License-Identifier: Apache-2.0
"""The app that decodes JPEG files while the model runs: the oracle's bytes, Pillow's decisions, messages."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.vww.jpeg_filter import Pixels, compile_filter, decode, jpeg_bytes, smooth_picture, with_pillow
from apps.vww.vww_build import APP, FRAMES, Outputs, build_vww, expected_outputs, outputs_of
from runnel.app import pictures_in, prepare_frames, run_app
from runnel.boards import load_board
from runnel.build.app import app_model
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.compiler import Options, load_model, plan_model, write_sources
from runnel.reference import selftest_crc
from runnel.run.oracle import tflm_oracle

OK, SOURCE = 0, 5


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> BuiltApp:
    return build_vww("host", tmp_path_factory.mktemp("host"), AppOptions(sanitize=True, jpeg=True))


@pytest.fixture(scope="module")
def photos(testdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with real photos, and one of other colours and size, as an app reads them."""
    folder = tmp_path_factory.mktemp("photos")
    for photo in (testdata / "images").glob("*.jpg"):
        (folder / photo.name).write_bytes(photo.read_bytes())
    astronaut = Image.open(FRAMES / "astronaut.ppm")
    (folder / "astronaut.jpg").write_bytes(jpeg_bytes(astronaut, quality=90, subsampling="4:2:0"))
    prepare_frames(pictures_in(folder), folder / "run", jpeg=True)
    return folder / "run"


def tflm_outputs(inputs: dict[str, Pixels]) -> Outputs:
    """What TensorFlow Lite Micro answers to pixels of 0..255."""
    model = app_model(APP)
    oracle = tflm_oracle(model.read_bytes(), load_model(model))
    answers = oracle.run([[(pixels - 128).astype(np.int8)[None]] for pixels in inputs.values()])
    return {name: tuple(int(v) for v in arrays[0].ravel()) for name, arrays in zip(inputs, answers, strict=True)}


@pytest.fixture(scope="module")
def expected(photos: Path, tmp_path_factory: pytest.TempPathFactory, tflm: None) -> Outputs:
    program = compile_filter(tmp_path_factory.mktemp("filter"))
    inputs = {}
    for photo in sorted(photos.glob("*.jpg")):
        pixels = decode(program, photo).pixels
        assert pixels is not None
        inputs[photo.name] = pixels
    return tflm_outputs(inputs)


def test_equal_to_tflm_on_the_host(host: BuiltApp, photos: Path, expected: Outputs) -> None:
    code, lines = run_app(host, photos)
    assert (code, outputs_of(lines)) == (OK, expected)


def test_equal_to_tflm_on_the_emulator(photos: Path, expected: Outputs, tmp_path: Path) -> None:
    """Files come through semihosting, 256 bytes at a time."""
    code, lines = run_app(build_vww("qemu-m7", tmp_path, AppOptions(jpeg=True)), photos)
    assert (code, outputs_of(lines)) == (OK, expected)


def test_equal_to_tflm_when_the_model_asks_several_times(photos: Path, expected: Outputs, tmp_path: Path) -> None:
    """Each pass over the input decodes the file anew."""
    board = load_board("host")
    options = Options(input="pulled", input_passes=4, max_overhead=0.3)
    plan = plan_model(load_model(app_model(APP)), board, options, APP.model_name)
    generated = tmp_path / "generated"
    generated.mkdir()
    write_sources(plan, generated, selftest_crc(plan.schedule.graph, plan.schedule.segments))
    header = (generated / "person.h").read_text(encoding="utf-8")
    assert re.search(r"^#define PERSON_INPUT_PASSES [234]$", header, re.MULTILINE)
    app = build_app(APP, board, generated, tmp_path / "firmware", AppOptions(sanitize=True, jpeg=True))
    code, lines = run_app(app, photos)
    assert (code, outputs_of(lines)) == (OK, expected)


def test_decisions_are_those_for_pillows_pixels(photos: Path, expected: Outputs, tflm: None) -> None:
    wanted = tflm_outputs({photo.name: with_pillow(photo) for photo in sorted(photos.glob("*.jpg"))})
    assert wanted.keys() == expected.keys()
    assert {name: values[1] > values[0] for name, values in wanted.items()} == {
        name: values[1] > values[0] for name, values in expected.items()
    }
    assert len({values[1] > values[0] for values in wanted.values()}) == 2


def test_jpeg_and_other_pictures_in_flash(tmp_path: Path, tflm: None) -> None:
    photo = tmp_path / "colours.jpg"
    photo.write_bytes(jpeg_bytes(smooth_picture(200, 150), subsampling="4:2:2"))
    files = (photo, FRAMES / "chelsea.ppm")
    built = build_vww("qemu-m7", tmp_path / "app", AppOptions(data="flash", data_files=files, jpeg=True))
    assert built.footprint is not None
    assert built.footprint.static_sram_bytes < 36 * 1024
    code, lines = run_app(built, tmp_path)
    pixels = decode(compile_filter(tmp_path), photo).pixels
    assert pixels is not None
    answers = {**tflm_outputs({"colours.jpg": pixels}), **expected_outputs([FRAMES / "chelsea.ppm"], tmp_path)}
    assert (code, outputs_of(lines)) == (OK, answers)


def run_with(built: BuiltApp, folder: Path, data: bytes) -> tuple[int, str]:
    (folder / "photo.jpg").write_bytes(data)
    (folder / "frames.txt").write_text("photo.jpg\n")
    code, lines = run_app(built, folder)
    return code, lines[-1]


def test_files_that_cannot_be_read_are_named(host: BuiltApp, tmp_path: Path) -> None:
    picture = smooth_picture(500, 500)
    whole = jpeg_bytes(picture, quality=50)
    for data, message in (
        (jpeg_bytes(picture, progressive=True), "frame: photo.jpg is a progressive JPEG; save it as a baseline"),
        (whole[: len(whole) // 2], "frame: photo.jpg ends too early"),
        (b"\xff\xd8\xff\xe0", "frame: photo.jpg ends too early"),
        (b"\xff", "frame: photo.jpg is no JPEG"),
        (jpeg_bytes(smooth_picture(1100, 1100)), "larger VWW_JPEG_BYTES ("),
        (jpeg_bytes(Image.new("L", (1400, 1400))), "frame: photo.jpg cannot become the model's input"),
    ):
        code, last = run_with(host, tmp_path, data)
        assert code == SOURCE
        assert message in last


def test_a_build_without_the_option_says_so(tmp_path: Path) -> None:
    built = build_vww("host", tmp_path / "app")
    code, last = run_with(built, tmp_path, jpeg_bytes(smooth_picture(100, 100)))
    assert code == SOURCE
    assert "photo.jpg is a JPEG, which this build does not read: build with VWW_JPEG" in last
