# SPDX-License-Identifier: Apache-2.0
"""Training of keyword models end to end on a handful of sounds: seconds, not accuracy."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'runnel[search]'")
soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'runnel[search]'")

from runnel.audio.front_end import QUANTIZATION, features  # noqa: E402
from runnel.compiler import load_model  # noqa: E402
from runnel.reference import evaluate  # noqa: E402
from runnel.train import keywords_cli, words_cli  # noqa: E402
from runnel.train.keyword_examples import Mixture  # noqa: E402
from runnel.train.keyword_model import keyword_recipe  # noqa: E402
from runnel.train.keywords import LABELS, Settings, build  # noqa: E402
from runnel.train.net import Architecture, Block  # noqa: E402
from runnel.train.save import save_model  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TINY = Architecture((49, 40), 8, (Block(8, 16, stride=2), Block(12, 24, stride=2)), 16, len(LABELS), 1, 5)


def tiny_settings() -> Settings:
    recipe = replace(keyword_recipe(len(LABELS), epochs=2), architecture=TINY, batch=16, warmup_epochs=1, threads=1)
    mixture = Mixture(words=1, near=1, other=4, parts=4, two_parts=2, babble=2, noise=6)
    return Settings(recipe, mixture, sayings=0, noises=4)


def write_collection(root: Path) -> None:
    """Tones as words: two clips of each label and split."""
    random = np.random.default_rng(6)
    rows = ["path,label,set,speaker,split"]
    for split in ("train", "val", "test"):
        for number, label in enumerate((*LABELS[2:], "_unknown_")):
            for take in range(2):
                path = f"ar/{label}/{split}{take}.flac"
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                sound = random.normal(0, 20, 16000)
                sound[4000:10000] += 5000 * np.sin(np.arange(6000) * (0.05 + 0.1 * number))
                soundfile.write(root / path, sound.astype(np.int16), 16000)
                rows.append(f"{path},{label},ar,s{split},{split}")
    (root / "index.csv").write_text("\n".join(rows) + "\n")
    (root / "ar/_background_noise_").mkdir()
    noise = random.normal(0, 300, 96000).astype(np.int16)
    soundfile.write(root / "ar/_background_noise_/fan.flac", noise, 16000)


@pytest.mark.usefixtures("tflm")
def test_a_tiny_model_from_sounds_to_file(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'runnel[oracle]'")
    write_collection(tmp_path / "data")
    model, figures = build(tmp_path / "data", tmp_path / "work", tiny_settings())
    save_model(model, figures, tmp_path, "keywords")
    graph = load_model(tmp_path / "keywords.tflite")
    source = graph.tensor(graph.inputs[0])
    assert source.shape == (1, 49, 40, 1) and source.type == "int8" and source.quantization == QUANTIZATION
    assert graph.tensor(graph.outputs[0]).shape == (1, len(LABELS))
    assert graph.metadata["labels"] == list(LABELS)
    written = json.loads((tmp_path / "training.json").read_text("utf-8"))
    for split in ("val", "test"):
        for kind in ("float", "int8"):
            assert written[split][kind]["ar"]["total"] == 28
            assert np.array(written[split][kind]["confusion"]).sum() == 28
        assert written[split]["clips_where_litert_differs_from_tflite_micro"] == 0
    # the numpy reference that self-tests are made from agrees with what was scored
    names = [line.split(",") for line in (tmp_path / "data/index.csv").read_text().splitlines()[1:]]
    right = 0
    for path, label, *_, split in names:
        if split == "test":
            sound = soundfile.read(tmp_path / "data" / path, dtype="int16")[0][80:15920]
            (answer,) = evaluate(graph, [features(sound).reshape(1, 49, 40, 1)])
            right += int(answer.argmax() == (1 if label == "_unknown_" else LABELS.index(label)))
    assert right == written["test"]["int8"]["ar"]["correct"]


@pytest.mark.usefixtures("tflm")
def test_the_same_seed_gives_the_same_file_and_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    first, _ = build(tmp_path / "data", tmp_path / "one", tiny_settings(), use_test=False)
    second, _ = build(tmp_path / "data", tmp_path / "two", tiny_settings(), use_test=False)
    again, figures = build(tmp_path / "data", tmp_path / "one", tiny_settings(), use_test=False)
    assert first == second == again
    assert "test" not in figures


Script = Callable[..., tuple[int, str]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    """Calls a script's main; gives its exit code and what it wrote to standard error."""

    def call(main: Callable[[], int], *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["script", *arguments])
        return main(), capsys.readouterr().err

    return call


def test_a_folder_without_recordings_is_named(tmp_path: Path, script: Script) -> None:
    code, message = script(keywords_cli.main, "--data", str(tmp_path / "nowhere"), "--work", str(tmp_path))
    assert code == 2 and "nowhere" in message


def test_words_that_cannot_be_used_are_named(tmp_path: Path, script: Script) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    arguments = ("--words", "silence", "-o", str(tmp_path / "out"), "--work", str(tmp_path))
    code, message = script(words_cli.main, *arguments)
    assert code == 2 and "'silence' is a class that every model has" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("tflm")
def test_words_in_model_out(tmp_path: Path, script: Script) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'runnel[oracle]'")
    arguments = ("--words", "Open Sesame", "--quick", "-o", str(tmp_path / "out"), "--work", str(tmp_path / "work"))
    code, message = script(words_cli.main, *arguments)
    assert code == 0, message
    graph = load_model(tmp_path / "out/keywords.tflite")
    assert graph.metadata["labels"] == ["silence", "unknown", "open sesame"]
    assert "SYNTHETIC" in graph.metadata["description"]
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert "Synthetic evidence only" in card and "--words 'Open Sesame'" in card
