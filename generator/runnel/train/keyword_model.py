# SPDX-License-Identifier: Apache-2.0
"""Trains a keyword net on given sounds, quantizes it, and scores it; for real and for synthetic voices alike."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import Progress as Bar

from runnel.audio.front_end import FRAMES, QUANTIZATION, Rows, features_of_clip
from runnel.audio.tables import CHANNELS
from runnel.graph import Graph
from runnel.run.oracle import Oracle, litert_oracle, tflm_oracle
from runnel.tflite.writer import write_tflite
from runnel.train.export import float_graph
from runnel.train.keyword_examples import KeywordExamples
from runnel.train.loop import Progress, Recipe, logits_of, resume, train
from runnel.train.net import Architecture, Block, Net
from runnel.train.quantize import calibrate, quantize
from runnel.train.sound_augment import SoundAugmentation, to_real
from runnel.train.sounds import Clip

Classes = npt.NDArray[np.int64]


def keyword_architecture(classes: int) -> Architecture:
    """About 60,000 weights, 4 million multiplications; input 49 rows of 40 channels."""
    return Architecture(
        input_size=(FRAMES, CHANNELS),
        stem=24,
        blocks=(
            Block(32, 24, stride=2),
            Block(32, 64, kernel=5),
            Block(32, 64),
            Block(32, 96),
            Block(48, 96, stride=2),
            Block(48, 144),
            Block(48, 144),
        ),
        head=128,
        classes=classes,
        input_channels=1,
        stem_kernel=5,
    )


def keyword_recipe(classes: int, epochs: int = 34) -> Recipe:
    """The settings that models/kws was trained with."""
    return Recipe(
        keyword_architecture(classes),
        epochs=epochs,
        batch=96,
        learning_rate=4e-3,
        label_smoothing=0.05,
        average_decay=0.999,
        augmentation=SoundAugmentation(),
    )


@dataclass(frozen=True)
class Examined:
    """Clips of a split as the model sees them, their classes, and the collection of each."""

    rows: Rows
    classes: Classes
    sources: tuple[str, ...]

    @property
    def real(self) -> npt.NDArray[np.float32]:
        return to_real(self.rows)


def examined(clips: Sequence[Clip]) -> Examined:
    """Whole clips, their middle where they are longer than the window."""
    rows = np.stack([features_of_clip(clip.samples) for clip in clips])
    return Examined(rows, np.array([clip.label for clip in clips], np.int64), tuple(clip.source for clip in clips))


def share_right(net: Net, clips: Examined) -> dict[str, float]:
    """The share of clips that the float net classifies correctly, for each collection."""
    right = logits_of(net, clips.rows, to_real).argmax(1) == clips.classes
    sources = np.array(clips.sources)
    return {source: float(right[sources == source].mean()) for source in sorted(set(clips.sources))}


def train_with_bar(recipe: Recipe, examples: KeywordExamples, validation: Examined, checkpoint: Path) -> Progress:
    """Train (or continue) to the end, with the validation accuracy of every epoch on standard error."""
    progress = resume(recipe, checkpoint)
    steps = examples.steps(recipe)
    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=recipe.epochs * steps, completed=progress.epoch * steps)

        def report(state: Progress, loss: float) -> None:
            parts = share_right(state.average, validation).items()
            text = ", ".join(f"{source} {100 * share:.1f} %" for source, share in parts)
            bar.console.print(f"epoch {state.epoch}: loss {loss:.3f}, validation {text}, {state.seconds:.0f} s")

        train(progress, examples, recipe, checkpoint, report, lambda: bar.advance(task))
    return progress


def calibration_rows(examples: KeywordExamples, recipe: Recipe, batches: int = 8) -> npt.NDArray[np.float32]:
    """Training sounds as varied as in training: noise and quiet ones count, for the ranges they reach."""
    parts = []
    for number, (inputs, _) in enumerate(examples.batches(recipe, recipe.epochs)):
        if number == batches:
            break
        parts.append(inputs)
    return np.concatenate(parts)


def int8_model(net: Net, examples: KeywordExamples, recipe: Recipe, name: str, metadata: Mapping[str, Any]) -> bytes:
    """The bytes of a .tflite file whose input quantization is that of the features."""
    net.eval()
    graph: Graph = float_graph(net, name, metadata, "features")
    ranges = calibrate(graph, calibration_rows(examples, recipe))
    return write_tflite(quantize(graph, ranges, {graph.inputs[0]: QUANTIZATION}))


def int8_answers(oracle: Oracle, rows: Rows) -> npt.NDArray[np.int8]:
    """What an int8 model answers (n x classes) to features (n x 49 x 40)."""
    return np.concatenate([outputs[0] for outputs in oracle.run([[r.reshape(1, FRAMES, CHANNELS, 1)] for r in rows])])


def counted(answers: Classes, clips: Examined, labels: Sequence[str]) -> dict[str, Any]:
    """Right answers by collection and label, and how often which class was taken for which."""
    sources = np.array(clips.sources)
    right = answers == clips.classes
    result: dict[str, Any] = {}
    for source in sorted(set(clips.sources)):
        part = sources == source
        by_label = {
            labels[c]: {"correct": int(right[part & (clips.classes == c)].sum()),
                        "total": int((part & (clips.classes == c)).sum())}
            for c in sorted(set(clips.classes[part].tolist()))
        }  # fmt: skip
        result[source] = {"correct": int(right[part].sum()), "total": int(part.sum()), "labels": by_label}
    matrix = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(matrix, (clips.classes, answers), 1)
    result["confusion"] = matrix.tolist()
    return result


def scored(net: Net, model: bytes, clips: Examined, labels: Sequence[str]) -> dict[str, Any]:
    """Float and int8 scores of one split, and on how many clips the two int8 interpreters differ."""
    micro = int8_answers(tflm_oracle(model), clips.rows)
    reference = int8_answers(litert_oracle(model), clips.rows)
    return {
        "float": counted(logits_of(net, clips.rows, to_real).argmax(1), clips, labels),
        "int8": counted(micro.argmax(1), clips, labels),
        "clips_where_litert_differs_from_tflite_micro": int((reference != micro).any(axis=1).sum()),
    }


def record(progress: Progress, recipe: Recipe, examples: KeywordExamples, model: bytes) -> dict[str, Any]:
    """What training.json says of the run, without the scores."""
    return {
        "recipe": dataclasses.asdict(recipe),
        "mixture": dataclasses.asdict(examples.mixture),
        "weights": sum(p.numel() for p in progress.average.parameters()),
        "training_seconds": round(progress.seconds),
        "training_cpu_seconds": round(progress.cpu_seconds),
        "torch": torch.__version__,
        "sha256": hashlib.sha256(model).hexdigest(),
    }
