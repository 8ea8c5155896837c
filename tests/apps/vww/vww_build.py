# SPDX-License-Identifier: Apache-2.0
"""Builds of apps/vww for tests, what they print, and what TensorFlow Lite Micro says to the same frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from apps.vww.image_filter import ROOT, SRC, ModelInput, compile_program, run_filter
from runnel.app import compile_app_model
from runnel.boards import load_board
from runnel.build.app import app_model, find_app
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.build.frames import open_picture, to_frame
from runnel.compiler import load_model
from runnel.run.oracle import tflm_oracle

APP = find_app("vww")
FRAMES = ROOT / "apps" / "vww" / "frames"
PHOTOS = ("astronaut.ppm", "chelsea.ppm")
PERSON_INPUT = ModelInput(80, 80, 3)  # models/person/README.md

Outputs = dict[str, tuple[int, ...]]


def build_vww(board: str, folder: Path, options: AppOptions | None = None) -> BuiltApp:
    """The app with our person detector for one of Runnel's boards."""
    where = load_board(board)
    generated = compile_app_model(APP, app_model(APP), where, folder / "generated")
    return build_app(APP, where, generated, folder / "firmware", options)


def outputs_of(lines: Sequence[str]) -> Outputs:
    """What the app printed: the values of the model's output for each picture."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"(\S+): person: -?\d+\.\d\d \(\d+ ms\), output:((?: -?\d+)+)", line.strip())
        if match:
            found[match[1]] = tuple(int(value) for value in match[2].split())
    return found


def expected_outputs(pictures: Sequence[Path], folder: Path) -> Outputs:
    """TensorFlow Lite Micro's outputs for the very input that apps/vww/src/image.c makes of each picture."""
    here = Path(__file__).resolve().parent
    program = compile_program(folder, [here / "image_program.c", SRC / "image.c", SRC / "image_axis.c"])
    frames = [to_frame(open_picture(picture), picture.name) for picture in pictures]
    inputs = [
        values for values in run_filter(program, [(frame, PERSON_INPUT) for frame in frames]) if values is not None
    ]
    assert len(inputs) == len(frames)
    model = app_model(APP)
    oracle = tflm_oracle(model.read_bytes(), load_model(model))
    answers = oracle.run([[values[None]] for values in inputs])
    return {frame.name: tuple(int(v) for v in arrays[0].ravel()) for frame, arrays in zip(frames, answers, strict=True)}
