# SPDX-License-Identifier: Apache-2.0
"""The person detector in the repository is the one its record describes, and it knows the demo's photos."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runnel.run.oracle import tflm_oracle

FOLDER = Path(__file__).resolve().parents[2] / "models/person"
MODEL = (FOLDER / "person.tflite").read_bytes()
RECORD = json.loads((FOLDER / "training.json").read_text("utf-8"))
SIZE = RECORD["recipe"]["architecture"]["input_size"]


def test_the_record_is_of_this_file() -> None:
    assert hashlib.sha256(MODEL).hexdigest() == RECORD["sha256"]
    assert len(MODEL) < 400_000


@pytest.mark.parametrize("part", ["all", "openimages"])
def test_int8_is_within_one_point_of_float(part: str) -> None:
    float_score, int8_score = (RECORD["test"][kind][part] for kind in ("float", "int8"))
    assert abs(float_score["correct"] - int8_score["correct"]) / float_score["total"] < 0.01


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("name, person", [("astronaut", True), ("chelsea", False), ("coffee", False)])
def test_photos_of_the_demo(name: str, person: bool) -> None:
    photos = pytest.importorskip("skimage.data", reason="scikit-image is not installed: pip install 'runnel[demo]'")
    photo = Image.fromarray(getattr(photos, name)())
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    square = photo.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pixels = (np.asarray(square).astype(np.int16) - 128).astype(np.int8)[None]
    ((probabilities,),) = tflm_oracle(MODEL).run([[pixels]])
    assert (probabilities.argmax() == 1) == person
