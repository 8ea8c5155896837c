# SPDX-License-Identifier: Apache-2.0
"""The keyword models in the repository are the ones their records describe, and they meet their bars."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runnel.audio.front_end import QUANTIZATION, features_of_clip
from runnel.compiler import load_model
from runnel.reference import evaluate
from runnel.run.oracle import tflm_oracle
from runnel.train.words_card import words_card

MODELS = Path(__file__).resolve().parents[2] / "models"
KEYWORDS = Path(__file__).resolve().parents[3] / "shared/data/kws"
RECORDED, SYNTHETIC = "kws", "kws-synthetic"
MOST_BYTES = 130_000  # of the file; its constants in flash are about 100,000


def record(folder: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((MODELS / folder / "training.json").read_text("utf-8"))
    return read


@pytest.mark.parametrize("folder", [RECORDED, SYNTHETIC])
def test_the_record_is_of_this_file(folder: str) -> None:
    data = (MODELS / folder / "keywords.tflite").read_bytes()
    assert hashlib.sha256(data).hexdigest() == record(folder)["sha256"]
    assert len(data) < MOST_BYTES


@pytest.mark.parametrize("folder", [RECORDED, SYNTHETIC])
def test_edges_are_features_and_labels(folder: str) -> None:
    graph = load_model(MODELS / folder / "keywords.tflite")
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    assert (source.shape, source.type, source.quantization) == ((1, 49, 40, 1), "int8", QUANTIZATION)
    labels = graph.metadata["labels"]
    assert labels == record(folder)["labels"] and labels[:2] == ["silence", "unknown"]
    assert result.shape == (1, len(labels)) and result.type == "int8"
    assert ("SYNTHETIC" in graph.metadata["description"]) == (folder == SYNTHETIC)


@pytest.mark.parametrize("source, bar", [("ar", 0.92), ("en_gsc", 0.95)])
def test_the_recorded_accuracy_meets_the_bar(source: str, bar: float) -> None:
    score = record(RECORDED)["test"]["int8"][source]
    assert score["correct"] / score["total"] >= bar
    float_score = record(RECORDED)["test"]["float"][source]
    assert abs(score["correct"] - float_score["correct"]) / score["total"] < 0.015


@pytest.mark.parametrize("folder", [RECORDED, SYNTHETIC])
def test_the_card_says_what_the_record_says(folder: str) -> None:
    card = (MODELS / folder / "README.md").read_text("utf-8")
    parts = [part for name, part in record(folder)["test"]["int8"].items() if name not in ("confusion", "en_digits")]
    for part in parts:
        assert f"{part['correct']} of {part['total']}" in card
    assert ("Synthetic evidence only" in card) == (folder == SYNTHETIC)


def test_the_card_of_the_synthetic_model_is_what_the_command_writes() -> None:
    path = MODELS / SYNTHETIC / "keywords.tflite"
    card = path.with_name("README.md").read_text("utf-8")
    (command,) = (line for line in card.splitlines() if line.startswith("    ./scripts/train_words "))
    assert card == words_card(record(SYNTHETIC), path.stat().st_size, shlex.split(command))
    assert "models/kws/README.md" in card, "it was trained on recordings too: they need credit"
    without = words_card({**record(SYNTHETIC), "recordings_as_unknown": False}, 1, ["x"])
    assert "models/kws/README.md" not in without and "No recording of a person" in without


@pytest.mark.usefixtures("tflm")
def test_accuracy_again_from_the_recordings(full: bool, seed: int) -> None:
    """All 1,140 test clips when the full count is asked for, else 40; then also what numpy makes of a few."""
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'runnel[search]'")
    if not KEYWORDS.is_dir():
        pytest.skip(f"no recordings: {KEYWORDS} is absent")
    graph, labels = load_model(MODELS / RECORDED / "keywords.tflite"), record(RECORDED)["labels"]
    rows = [line.split(",") for line in (KEYWORDS / "index.csv").read_text("utf-8").splitlines()[1:]]
    rows = [row for row in rows if row[4] == "test" and row[2] in ("ar", "en_gsc")]
    if not full:
        rows = [rows[i] for i in np.random.default_rng(seed).choice(len(rows), 40, replace=False)]
    inputs = []
    for path, *_ in rows:
        sound = soundfile.read(KEYWORDS / path, dtype="int16")[0]
        inputs.append(features_of_clip(sound).reshape(1, 49, 40, 1))
    outputs = [
        out[0] for out in tflm_oracle((MODELS / RECORDED / "keywords.tflite").read_bytes()).run([[x] for x in inputs])
    ]
    for x, output in list(zip(inputs, outputs, strict=True))[:5]:
        np.testing.assert_array_equal(evaluate(graph, [x])[0], output)
    wanted = [1 if row[1] == "_unknown_" else labels.index(row[1]) for row in rows]
    right = [int(output.argmax()) == label for output, label in zip(outputs, wanted, strict=True)]
    scores = record(RECORDED)["test"]["int8"]
    stated = scores["ar"]["correct"] + scores["en_gsc"]["correct"]
    if full:
        assert sum(right) == stated
    else:
        assert sum(right) >= 33  # of 40; with 19 in 20 right fewer are found once in ten thousand draws
