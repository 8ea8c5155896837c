# SPDX-License-Identifier: Apache-2.0
"""Trains, quantizes and scores the person detector: photos in, models/person/person.tflite out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress as Bar

from runnel.graph import Graph
from runnel.run.oracle import litert_oracle, tflm_oracle
from runnel.tflite.writer import write_tflite
from runnel.train.data import LABELS, Split, centre_square, evaluation_pixels, load_split, unit_range
from runnel.train.evaluate import Score, int8_outputs, scores
from runnel.train.export import float_graph
from runnel.train.loop import Progress, Recipe, logits_of, resume, train
from runnel.train.net import PERSON, Net
from runnel.train.photos import Photos
from runnel.train.quantize import PIXELS, calibrate, quantize

RECIPE = Recipe(PERSON)
CALIBRATION_STEP = 8  # every eighth training photo is used to measure ranges
METADATA: Mapping[str, Any] = {
    "labels": list(LABELS),
    "mean": [0.0, 0.0, 0.0],
    "std": [255.0, 255.0, 255.0],
    "colour_order": "RGB",
    "description": "Runnel person detector: is there a person in the photo? Trained by scripts/train_person.",
}


@dataclass(frozen=True)
class Result:
    """A finished model and how well it does; `figures` is what training.json holds."""

    model: bytes
    figures: Mapping[str, Any]


def int8_graph(net: Net, photos: Split) -> Graph:
    """Export `net` and quantize it with the ranges seen on some of `photos`."""
    net.eval()
    graph = float_graph(net, "person", METADATA)
    size = net.architecture.input_shape[0]
    chosen = [centre_square(image, size) for image in photos.images[::CALIBRATION_STEP]]
    ranges = calibrate(graph, unit_range(np.stack(chosen)))
    return quantize(graph, ranges, {graph.inputs[0]: PIXELS})


def _readable(part: Mapping[str, Score]) -> dict[str, Any]:
    return {name: {"correct": score.correct, "total": score.total} for name, score in part.items()}


def _score(net: Net, model: bytes, split: Split) -> dict[str, Any]:
    """Float and int8 scores of one split, and whether the two int8 interpreters agree on it."""
    pixels = evaluation_pixels(split, net.architecture.input_shape[0])
    reference = int8_outputs(litert_oracle(model), pixels)
    micro = int8_outputs(tflm_oracle(model), pixels)
    return {
        "float": _readable(scores(logits_of(net, pixels, unit_range).argmax(1), split)),
        "int8": _readable(scores(micro.argmax(1), split)),
        "photos_where_litert_differs_from_tflite_micro": int((reference != micro).any(axis=1).sum()),
    }


def _train(progress: Progress, recipe: Recipe, photos: Split, validation: Split, checkpoint: Path) -> None:
    """Train to the end with a progress bar and the validation accuracy of every epoch on standard error."""
    steps = len(photos.images) // recipe.batch
    seen = evaluation_pixels(validation, recipe.architecture.input_shape[0])
    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=recipe.epochs * steps, completed=progress.epoch * steps)

        def report(state: Progress, loss: float) -> None:
            share = scores(logits_of(state.average, seen, unit_range).argmax(1), validation)["all"].share
            bar.console.print(f"epoch {state.epoch}: loss {loss:.3f}, validation {100 * share:.1f} %")

        train(progress, Photos(photos), recipe, checkpoint, report, lambda: bar.advance(task))


def build(data: Path, work: Path, recipe: Recipe = RECIPE) -> Result:
    """Train (or resume) with `recipe` on the collection in `data`, then quantize and score on val and test.

    work: folder of the cache and the checkpoint. Raises InputError for unreadable data or a foreign checkpoint.
    """
    photos, validation = load_split(data, "train", work), load_split(data, "val", work)
    progress = resume(recipe, work / "person.pt")
    _train(progress, recipe, photos, validation, work / "person.pt")
    net = progress.average
    model = write_tflite(int8_graph(net, photos))
    figures = {
        "recipe": dataclasses.asdict(recipe),
        "weights": sum(p.numel() for p in net.parameters()),
        "training_seconds": round(progress.seconds),
        "training_cpu_seconds": round(progress.cpu_seconds),
        "torch": torch.__version__,
        "sha256": hashlib.sha256(model).hexdigest(),
        "val": _score(net, model, validation),
        "test": _score(net, model, load_split(data, "test", work)),
    }
    return Result(model, figures)
