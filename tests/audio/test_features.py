# SPDX-License-Identifier: Apache-2.0
"""The fixed-point front end against floating point, and what its Python side promises."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from audio.front_end_reference import CLIP, Samples, energies, made_up_clips, real_clips, reference
from runnel.audio import front_end, tables
from runnel.audio.front_end import FRAMES, HOP, QUANTIZATION, FrontEnd, features, features_of_clip
from runnel.errors import BuildError, InputError
from runnel.resources import resource_root

# 0.5 is rounding, the rest the logarithm's table and the 12 bits of weights and 14 bits of sines: these show in bands
# far below the loudest one of a row. 70 dB below nothing is promised.
LARGEST_ERROR = 1.0
LARGEST_ERROR_OF_SPEECH, USUAL_ERROR_OF_SPEECH = 2.0, 0.7
BELOW_THE_LOUDEST = 10**-7.0

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler 'cc' on PATH")


def errors(samples: Samples) -> npt.NDArray[np.float64]:
    """In steps, of the values that something is promised of."""
    energy = energies(samples)
    heard = energy > BELOW_THE_LOUDEST * energy.max(axis=1, keepdims=True)
    return np.abs(features(samples) - reference(samples))[heard]


@pytest.mark.parametrize("clip", made_up_clips(40, 5), ids=range(40))
def test_made_up_sounds_are_those_of_floating_point(clip: Samples) -> None:
    assert errors(clip).max(initial=0) <= LARGEST_ERROR


def test_speech_is_that_of_floating_point(seed: int) -> None:
    clips = real_clips(100, seed)
    if not clips:
        pytest.skip("no recordings in ../shared/data/kws, or soundfile is not installed")
    for gain in (1, 10, 300):
        found = np.concatenate([errors((clip // gain).astype(np.int16)) for clip in clips])
        assert found.max() <= LARGEST_ERROR_OF_SPEECH
        assert np.quantile(found, 0.999) <= USUAL_ERROR_OF_SPEECH


def test_silence_and_offset_are_the_floor() -> None:
    for value in (0, 1, -1, 32767, -32768):
        assert (features(np.full(CLIP, value, np.int16)) == -128).all()


def test_twice_as_loud_is_sixteen_steps_more() -> None:
    sound = np.random.default_rng(2).normal(0, 2000, CLIP).astype(np.int16)
    difference = features((2 * sound).astype(np.int16)).astype(int) - features(sound)
    assert abs(difference.mean() - 16) < 0.1 and np.abs(difference - 16).max() <= 1


def test_a_tone_is_loudest_in_its_band() -> None:
    edges = [700 * (10 ** (edge / 2595) - 1) for edge in tables.edges()]
    for channel in range(tables.CHANNELS):
        tone = 3000 * np.sin(2 * np.pi * edges[channel + 1] * np.arange(CLIP) / 16000)
        assert (np.abs(features(tone.astype(np.int16)).argmax(axis=1) - channel) <= 1).all()


def test_a_stream_equals_the_whole_clip_however_it_is_cut() -> None:
    clip = np.random.default_rng(3).normal(0, 900, CLIP).astype(np.int16)
    whole = FrontEnd().rows(clip)
    stream, position, parts = FrontEnd(), 0, []
    for hops in (1, 2, 1, 7, 11, 3, 25):
        parts.append(stream.rows(clip[position : position + hops * HOP]))
        position += hops * HOP
    assert position == CLIP
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    # a row's window begins 160 samples before its hop, so a clip that starts there has the same rows
    np.testing.assert_array_equal(features(clip[160:]), whole[1:])
    stream.reset()
    np.testing.assert_array_equal(stream.rows(clip), whole)


def test_one_second_is_the_input_of_a_model() -> None:
    assert features(np.zeros(CLIP, np.int16)).shape == (FRAMES, tables.CHANNELS) == (49, 40)


def test_a_clip_of_another_length_is_centred() -> None:
    sound = np.random.default_rng(6).normal(0, 900, 20000).astype(np.int16)
    np.testing.assert_array_equal(features_of_clip(sound), features(sound[2080:17920]))
    np.testing.assert_array_equal(features_of_clip(sound[:9]), features(np.pad(sound[:9], (7915, 7916))))


def test_python_and_c_state_the_same_numbers() -> None:
    text = (resource_root() / "zephyr_module/include/runnel/audio/features.h").read_text("utf-8")
    stated = {name: int(value) for name, value in re.findall(r"#define RUNNEL_FEATURES_(\w+) \(?(-?\d+)\)?", text)}
    assert stated["SAMPLE_RATE"] == tables.SAMPLE_RATE and stated["WINDOW"] == tables.WINDOW
    assert stated["HOP"] == HOP and stated["FFT"] == tables.FFT and stated["CHANNELS"] == tables.CHANNELS
    assert QUANTIZATION.scale == 1 / stated["STEPS_PER_UNIT"] and QUANTIZATION.zero_point == stated["ZERO_POINT"]
    state = np.array([FrontEnd()._library.runnel_host_state_bytes()])
    assert state[0] == 2 * (stated["WINDOW"] - stated["HOP"]) + 4 * stated["FFT"] == 2368


def test_the_tables_are_what_the_generator_writes() -> None:
    assert (resource_root() / tables.FILE).read_text("utf-8") == tables.header()


def test_weights_of_a_bin_sum_to_one_and_every_channel_has_bins() -> None:
    starts = tables.band_starts()
    assert len(starts) == tables.CHANNELS + 2 and (np.diff(starts) > 0).all()
    assert len(tables.weights()) == starts[-1] - starts[0]
    assert all(0 <= weight <= 1 << tables.WEIGHT_BITS for weight in tables.weights())


@pytest.mark.parametrize("samples", [np.zeros(100, np.int16), np.zeros(320), np.zeros((2, 320), np.int16)])
def test_wrong_arrays_are_refused(samples: Samples) -> None:
    with pytest.raises(InputError, match="multiple of 320"):
        FrontEnd().rows(samples)


def test_a_clip_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(InputError, match="480 samples"):
        features(np.zeros(479, np.int16))


def test_without_a_compiler_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match=r"C code.*apt-get install gcc"):
        front_end.build_library(tmp_path / "features.so")
