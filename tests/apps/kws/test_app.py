# SPDX-License-Identifier: Apache-2.0
"""The whole app with a model that was never trained: the numbers it sees are those that Python computes."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from apps.kws.kws_build import ROOT
from apps.kws.listening_model import LABELS, listening_graph, write_listening_model
from runnel.app import compile_app_model, run_app
from runnel.boards import load_board
from runnel.build.app import find_app
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.errors import InputError
from runnel.graph import Quantization
from runnel.kws.detector import Settings, detect
from runnel.kws.measure import build_kws, labels_of
from runnel.kws.outputs import model_outputs
from runnel.kws.scoring import parse_console

SETTINGS = Settings(
    stride_rows=5, average=2, threshold_percent=40, consecutive=1, release_percent=30, refractory_ms=300
)
COUNT = 16000 * 6 + 123  # the last row is not a whole one


def speech_like() -> npt.NDArray[np.int16]:
    """Noise whose colour and level change several times a second."""
    random = np.random.default_rng(3)
    parts = []
    for _ in range(30):
        noise = random.normal(0, 1, 3300)
        colour = random.normal(0, 1, int(random.integers(1, 30)))
        parts.append(np.convolve(noise, colour, "same") * 10 ** random.uniform(1, 3.4))
    return np.clip(np.concatenate(parts)[:COUNT], -32768, 32767).astype(np.int16)


def write_wav(path: Path, samples: npt.NDArray[np.int16], rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listening_model(tmp_path_factory.mktemp("model") / "keywords.tflite")


@pytest.fixture(scope="module")
def host_app(model: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltApp:
    return build(model, "host", tmp_path_factory.mktemp("host"))


def build(model: Path, board: str, folder: Path) -> BuiltApp:
    return build_kws(model, load_board(board), folder, (*SETTINGS.defines(), "KWS_PRINT_SCORES=1"))


@pytest.mark.parametrize("board", ["host", "qemu-m7"])
def test_scores_and_detections_are_those_of_the_same_code_on_the_host(model: Path, board: str, tmp_path: Path) -> None:
    samples = speech_like()
    write_wav(tmp_path / "sound.wav", samples)
    code, lines = run_app(build(model, board, tmp_path / "app"), tmp_path)
    assert code == 0, lines
    printed = [list(map(int, line.split()[1:])) for line in lines if line.startswith("scores: ")]
    expected = model_outputs(model, samples, SETTINGS.stride_rows)
    assert [row[0] for row in printed] == [320 * 5 * (i + 1) for i in range(len(expected))]
    np.testing.assert_array_equal(np.array([row[1:] for row in printed]), expected)
    assert len(np.unique(expected, axis=0)) > len(expected) // 2  # or the comparison would say little
    heard = parse_console("\n".join(lines), LABELS, COUNT / 16000)
    assert heard == detect(expected, SETTINGS)
    assert {h.word for h in heard} == {2, 3}


def test_without_a_sound_the_command_takes_our_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runnel.app", "kws", "--board", "host", "--run", "-o", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "heard: cat" in done.stdout


def test_console(model: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "sound.wav", speech_like())
    _, lines = run_app(build(model, "qemu-m7", tmp_path / "app"), tmp_path)
    assert re.fullmatch(r"model: keywords, arena \d+ bytes, 4 classes: silence unknown left right", lines[0])
    assert lines[1] == "selftest: ok"
    assert not [line for line in lines if re.match(r"\w+=", line)]  # Renode's robot keywords would misread it
    statistics = [line for line in lines if line.startswith("statistics: ")]
    assert re.search(r"; SRAM [1-9]\d* bytes, stack [1-9]\d* bytes$", statistics[-1])
    found = re.match(r"statistics: (\S+) s of sound, (\d+) cycles a row, (\d+) a run of the model", statistics[-1])
    assert found is not None
    assert float(found[1]) == pytest.approx(7.02)  # with the second of silence behind the file, in whole rows
    assert int(found[2]) > 100 and int(found[3]) > 100


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "sound.wav: cannot be opened"),
        (b"fLaC and more", "sound.wav: not a wav file"),
        (b"RIFF\0\0\0\0WAVE", "sound.wav: damaged: it ends before its sound begins"),
        (44100, "sound.wav: format 1, 1 channels, 44100 Hz, 16 bits; supported is format 1 (PCM), 1 channel, 16000 Hz"),
    ],
)
def test_a_wav_file_that_cannot_be_heard(
    host_app: BuiltApp, tmp_path: Path, content: bytes | int | None, message: str
) -> None:
    if isinstance(content, int):
        write_wav(tmp_path / "sound.wav", np.zeros(100, np.int16), content)
    elif content is not None:
        (tmp_path / "sound.wav").write_bytes(content)
    code, lines = run_app(host_app, tmp_path)
    assert code == 5
    assert lines[-1].startswith(message)


def test_a_model_for_other_features_is_refused(tmp_path: Path) -> None:
    other = listening_graph(Quantization((1 / 16,), (-128,)))
    model = write_listening_model(tmp_path / "keywords.tflite", other)
    write_wav(tmp_path / "sound.wav", np.zeros(100, np.int16))
    code, lines = run_app(build(model, "host", tmp_path / "app"), tmp_path)
    assert code == 5
    assert "its input has another scale than the features" in lines[-1]


def test_a_model_without_labels_is_refused(testdata: Path) -> None:
    with pytest.raises(InputError, match="has no labels"):
        labels_of(testdata / "models" / "mlperf_kws_ref_model.tflite")


def test_a_damaged_model_is_found_at_the_start(model: Path, tmp_path: Path) -> None:
    app, board = find_app("kws"), load_board("qemu-m7")
    generated = compile_app_model(app, model, board, tmp_path / "generated")
    constants = generated / "keywords_constants.h"
    text = constants.read_text()
    damaged = re.sub(r"(weights\[\d+\] = \{\n\t)(-?\d+, ){8}", r"\g<1>" + "0, " * 8, text, count=1)
    assert damaged != text
    constants.write_text(damaged)
    write_wav(tmp_path / "sound.wav", np.zeros(100, np.int16))
    code, lines = run_app(build_app(app, board, generated, tmp_path / "app", AppOptions()), tmp_path)
    assert code == 3
    assert lines[-1] == "selftest: FAILED"


def test_sound_data_is_the_wav_file(tmp_path: Path) -> None:
    script = ROOT / "apps" / "port" / "common" / "sound_data.py"
    samples = np.array([0, -32768, 32767, 5] * 9, np.int16)
    write_wav(tmp_path / "a.wav", samples)
    subprocess.run([sys.executable, script, tmp_path / "a.wav", tmp_path / "a.c"], check=True)
    text = (tmp_path / "a.c").read_text()
    assert f"sound_data_count = {len(samples)};" in text
    values = re.search(r"sound_data\[36\] = \{(.*)\};", text, re.DOTALL)
    assert values is not None
    assert [int(v) for v in values[1].replace(",", " ").split()] == samples.tolist()
    write_wav(tmp_path / "b.wav", samples, 8000)
    done = subprocess.run([sys.executable, script, tmp_path / "b.wav", "b.c"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "b.wav: 1 channels of 16 bits at 8000 Hz; supported: 1 channel of 16 bits at 16000 Hz" in done.stderr


def test_defaults_are_written_down_once() -> None:
    header = (ROOT / "zephyr_module/include/runnel/audio/word_detector.h").read_text()
    defined = dict(re.findall(r"#define RUNNEL_WORD_DETECTOR_(\w+) (\d+)", header))
    kconfig = dict(re.findall(r"config KWS_(\w+)\n\tint .*\n(?:\tdepends .*\n)?\tdefault (\d+)", kconfig_text()))
    for name in ("AVERAGE", "THRESHOLD_PERCENT", "CONSECUTIVE", "RELEASE_PERCENT", "REFRACTORY_MS"):
        assert kconfig[name] == defined[name], name
    assert int(kconfig["STRIDE_ROWS"]) * 320 == int(defined["STRIDE_SAMPLES"])


def kconfig_text() -> str:
    return (ROOT / "apps" / "kws" / "Kconfig").read_text()
