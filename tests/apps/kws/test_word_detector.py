# SPDX-License-Identifier: Apache-2.0
"""The word detector: against a plain reference, and what its header promises."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from dataclasses import astuple, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.kws.detector_reference import Config, Detection, detect
from apps.kws.kws_build import AUDIO, ROOT, library

MAX_CLASSES = 16
MAX_AVERAGE = 16
STRIDE = 2560
PLAIN = Config(classes=4, first_word=2, average=2, threshold=128, consecutive=1, release=64, refractory_samples=0)


class CConfig(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in Config.__dataclass_fields__)


class CDetection(ctypes.Structure):
    _fields_ = (("word", ctypes.c_uint32), ("score", ctypes.c_uint32), ("sample", ctypes.c_uint64))


class Detector:
    """struct runnel_word_detector and its functions."""

    def __init__(self, functions: ctypes.CDLL) -> None:
        self.functions = functions
        functions.runnel_word_detector_take.restype = ctypes.c_bool
        functions.runnel_word_detector_take.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p,
        ]  # fmt: skip
        self.state = ctypes.create_string_buffer(4096)

    def start(self, config: Config) -> int:
        return int(self.functions.runnel_word_detector_start(self.state, ctypes.byref(CConfig(*astuple(config)))))

    def run(self, outputs: Sequence[Sequence[int]], samples: Sequence[int], config: Config) -> list[Detection]:
        assert self.start(config) == 0
        found = []
        for scores, sample in zip(outputs, samples, strict=True):
            detection = CDetection()
            row = (ctypes.c_int8 * len(scores))(*scores)
            if self.functions.runnel_word_detector_take(self.state, row, sample, ctypes.byref(detection)):
                found.append(Detection(detection.word, detection.score, detection.sample))
        return found


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    source = tmp_path_factory.mktemp("detector") / "size.c"
    source.write_text(
        '#include "runnel/audio/word_detector.h"\n'
        '_Static_assert(sizeof(struct runnel_word_detector) <= 4096, "the test\'s buffer is too small");\n'
    )
    return Detector(library([AUDIO / "word_detector.c", source], source.parent))


def positions(count: int) -> list[int]:
    return [STRIDE * (i + 1) for i in range(count)]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[list[int]], list[int], Config]:
    """Scores that move slowly between a few levels, so that words come, stay and go."""
    classes = draw(st.integers(1, MAX_CLASSES))
    threshold = draw(st.integers(1, 255))
    config = Config(
        classes=classes,
        first_word=draw(st.integers(0, classes - 1)),
        average=draw(st.integers(1, MAX_AVERAGE)),
        threshold=threshold,
        consecutive=draw(st.integers(1, 5)),
        release=draw(st.integers(1, threshold)),
        refractory_samples=draw(st.sampled_from([0, STRIDE, 3 * STRIDE, 10 * STRIDE])),
    )
    level = st.sampled_from([-128, -128, threshold - 129, threshold - 128, 127]) | st.integers(-128, 127)
    rows = draw(st.lists(st.lists(level, min_size=classes, max_size=classes), max_size=20))
    repeats = draw(st.lists(st.integers(1, 6), min_size=len(rows), max_size=len(rows)))
    outputs = [row for row, count in zip(rows, repeats, strict=True) for _ in range(count)]
    start = draw(st.sampled_from([0, 2**32 - 5 * STRIDE, 2**62]))
    return outputs, [start + p for p in positions(len(outputs))], config


@given(streams())
@settings(max_examples=500)
def test_detections_are_those_of_the_reference(
    detector: Detector, stream: tuple[list[list[int]], list[int], Config]
) -> None:
    outputs, samples, config = stream
    assert detector.run(outputs, samples, config) == detect(outputs, samples, config)


@given(streams())
def test_silence_and_unknown_never_fire_and_detections_keep_their_distance(
    detector: Detector, stream: tuple[list[list[int]], list[int], Config]
) -> None:
    outputs, samples, config = stream
    found = detector.run(outputs, samples, config)
    assert all(config.first_word <= d.word < config.classes and d.score >= config.threshold for d in found)
    gaps = [b.sample - a.sample for a, b in pairwise(found)]
    assert all(gap >= config.refractory_samples for gap in gaps)


def word(index: int, count: int) -> list[list[int]]:
    return [[127 if i == index else -128 for i in range(4)]] * count


def test_one_output_alone_says_nothing(detector: Detector) -> None:
    outputs = word(0, 4) + word(2, 1) + word(0, 4)
    config = replace(PLAIN, threshold=200)
    assert detector.run(outputs, positions(9), config) == []
    assert detector.run(outputs, positions(9), replace(config, average=1)) == [Detection(2, 255, 5 * STRIDE)]


def test_a_word_that_lingers_fires_once_and_again_after_a_pause(detector: Detector) -> None:
    outputs = word(2, 10) + word(0, 3) + word(2, 3)
    expected = [Detection(2, 255, 2 * STRIDE), Detection(2, 255, 15 * STRIDE)]
    assert detector.run(outputs, positions(16), replace(PLAIN, threshold=200)) == expected


def test_the_refractory_period_covers_other_words(detector: Detector) -> None:
    outputs = word(2, 2) + word(3, 2) + word(0, 4)
    config = replace(PLAIN, threshold=200, refractory_samples=4 * STRIDE)
    assert [d.word for d in detector.run(outputs, positions(8), config)] == [2]
    assert [d.word for d in detector.run(outputs, positions(8), replace(config, refractory_samples=0))] == [2, 3]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"classes": MAX_CLASSES + 1}, -1),
        ({"first_word": 4}, -1),
        ({"classes": 0, "first_word": 0}, -1),
        ({"average": 0}, -2),
        ({"average": MAX_AVERAGE + 1}, -2),
        ({"threshold": 256}, -3),
        ({"threshold": 63}, -3),
        ({"release": 0}, -3),
        ({"consecutive": 0}, -4),
    ],
)
def test_settings_that_make_no_sense_are_named(detector: Detector, change: dict[str, int], code: int) -> None:
    assert detector.start(replace(PLAIN, **change)) == code


def test_a_wrong_setting_leaves_the_running_detector_alone(detector: Detector) -> None:
    assert detector.start(PLAIN) == 0
    before = bytes(detector.state)
    assert detector.start(replace(PLAIN, average=0)) != 0
    assert bytes(detector.state) == before


def test_the_header_is_cxx17_and_its_defaults_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_text(
        '#include "runnel/audio/word_detector.h"\n'
        "int main() {\n"
        "  runnel_word_detector_config config = {};\n"
        "  config.classes = 12; config.first_word = 2; config.average = RUNNEL_WORD_DETECTOR_AVERAGE;\n"
        "  config.threshold = RUNNEL_WORD_DETECTOR_PERCENT(RUNNEL_WORD_DETECTOR_THRESHOLD_PERCENT);\n"
        "  config.consecutive = RUNNEL_WORD_DETECTOR_CONSECUTIVE;\n"
        "  config.release = RUNNEL_WORD_DETECTOR_PERCENT(RUNNEL_WORD_DETECTOR_RELEASE_PERCENT);\n"
        "  config.refractory_samples = RUNNEL_WORD_DETECTOR_MILLISECONDS(RUNNEL_WORD_DETECTOR_REFRACTORY_MS);\n"
        "  runnel_word_detector detector;\n"
        "  return runnel_word_detector_start(&detector, &config);\n"
        "}\n"
    )
    include = f"-I{ROOT / 'zephyr_module' / 'include'}"
    subprocess.run(["gcc", "-c", include, AUDIO / "word_detector.c", "-o", tmp_path / "d.o"], check=True)
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wconversion", include)
    program = tmp_path / "program"
    subprocess.run(["g++", *flags, tmp_path / "main.cpp", tmp_path / "d.o", "-o", program], check=True)
    assert subprocess.run([program]).returncode == 0
