# SPDX-License-Identifier: Apache-2.0
"""Streams that the app is measured on, and how detections are scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.errors import InputError, RunError
from runnel.kws.detector import Settings, detect
from runnel.kws.material import Material
from runnel.kws.scoring import Heard, parse_console, score
from runnel.kws.sentences import STREAM_SENTENCES
from runnel.kws.streams import Event, background_stream, word_stream
from runnel.kws.tuning import Trial, best, candidates
from runnel.train.sentences import SENTENCES
from runnel.train.sounds import Clip

SECOND = 16000


def tone(hertz: float, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (8000 * np.sin(np.arange(int(seconds * SECOND)) * 2 * np.pi * hertz / SECOND)).astype(np.int16)


def material() -> Material:
    noise = np.random.default_rng(1).integers(-3000, 3000, 3 * SECOND).astype(np.int16)
    silent = np.zeros(SECOND // 5, np.int16)
    words = [Clip(np.concatenate([silent, tone(400 + 100 * i, 0.4), silent]), 2 + i % 3, "x") for i in range(6)]
    return Material(words, [tone(2000, 0.5)], [tone(3000, 2.5)], [noise])


def test_a_stream_is_the_same_every_time_and_another_with_another_seed() -> None:
    for make in (background_stream, word_stream):
        first, again, other = (make(material(), 60, seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first.samples, again.samples)
        assert first.events == again.events
        assert first.events != other.events


def test_background_has_no_keyword_and_the_length_asked_for() -> None:
    stream = background_stream(material(), 120, 0)
    assert len(stream.samples) == 120 * SECOND
    assert len(stream.events) > 10
    assert {event.word for event in stream.events} == {None}
    assert all(0 <= event.start < event.end <= len(stream.samples) for event in stream.events)


def test_words_are_where_the_events_say_and_apart_from_each_other() -> None:
    stream = word_stream(material(), 120, 0)
    assert {event.word for event in stream.events} == {2, 3, 4}
    gaps = [b.start - a.end for a, b in zip(stream.events, stream.events[1:], strict=False)]
    assert min(gaps) >= 0.8 * SECOND
    counts = np.bincount([event.word or 0 for event in stream.events])
    assert counts[2:].max() - counts[2:].min() <= 2  # all clips once before any again
    louder = 0
    for event in stream.events:
        assert event.end - event.start == pytest.approx(0.4 * SECOND, abs=800)
        inside = stream.samples[event.start : event.end].astype(float)
        before = stream.samples[max(0, event.start - 3000) : event.start - 200].astype(float)
        louder += inside.std() > 2 * before.std()
    assert louder == len(stream.events)


def test_no_words_no_stream() -> None:
    with pytest.raises(InputError, match="no recordings of the model's words"):
        word_stream(Material([], [], [], material().noises), 10, 0)


def test_sentences_of_the_streams_are_not_those_of_training() -> None:
    trained = {text for texts in SENTENCES.values() for text in texts}
    val, test = ({text for _, text in STREAM_SENTENCES[split]} for split in ("val", "test"))
    assert not trained & (val | test)
    assert not val & test


def events(*words: tuple[float, float, int | None]) -> list[Event]:
    return [Event(int(start * SECOND), int(end * SECOND), word) for start, end, word in words]


def heard(*words: tuple[int, float]) -> list[Heard]:
    return [Heard(word, int(at * SECOND)) for word, at in words]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], (2, 0, 0, 0)),
        ([(2, 1.75), (3, 4.5)], (2, 2, 0, 0)),
        ([(2, 1.25)], (2, 1, 0, 0)),  # before the word is over
        ([(3, 1.75)], (2, 0, 1, 0)),
        ([(2, 1.75), (2, 2.25)], (2, 1, 0, 1)),  # the same word twice
        ([(2, 0.5), (2, 3.5), (3, 6.0)], (2, 0, 0, 3)),  # nobody spoke, or too long ago
    ],
)
def test_scoring(found: Sequence[tuple[int, float]], expected: tuple[int, int, int, int]) -> None:
    said = events((1, 1.5, 2), (2.5, 2.9, None), (4, 4.25, 3))
    result = score(said, heard(*found))
    assert (result.words, result.hits, result.wrong, result.false_alarms) == expected


def test_delays_count_from_the_end_of_the_word() -> None:
    result = score(events((1, 1.5, 2), (4, 4.25, 3)), heard((2, 1.75), (3, 4.75)))
    assert result.delays == (0.25, 0.5)
    assert result.delay() == pytest.approx(0.375)
    assert result.recall == 1


@given(st.lists(st.tuples(st.integers(2, 4), st.floats(0, 20)), max_size=12))
def test_each_detection_counts_once(found: list[tuple[int, float]]) -> None:
    said = events(*[(2.0 * i, 2.0 * i + 0.5, 2 + i % 3) for i in range(8)])
    result = score(said, heard(*sorted(found, key=lambda f: f[1])))
    assert result.hits + result.wrong + result.false_alarms == len(found)
    assert result.hits <= result.words and len(result.delays) == result.hits


LABELS = ("silence", "unknown", "left", "turn right")
CONSOLE = "heard: turn right 0.91 at 1.280 s\nheard: left 0.70 at 9.999 s\nend: 12.000 s of sound, 2 detections\n"


def test_console_is_understood() -> None:
    assert parse_console(CONSOLE, LABELS, 12) == [Heard(3, 20480), Heard(2, 159984)]


@pytest.mark.parametrize("text", ["", "end: 11.000 s of sound, 0 detections", CONSOLE.replace("2 det", "3 det")])
def test_an_app_that_did_not_hear_everything_is_an_error(text: str) -> None:
    with pytest.raises(RunError, match="did not come to the end"):
        parse_console(text, LABELS, 12)


def test_tuning_prefers_recall_within_the_limit_of_false_alarms() -> None:
    settings = list(candidates(8))
    assert len(set(settings)) == len(settings) > 100

    def trial(index: int, hits: int, alarms: float, delay: float = 0.3) -> Trial:
        said = [Event(0, 1, 2)] * 100
        return Trial(settings[index], replace_hits(said, hits, delay), alarms)

    assert best([trial(0, 90, 9.0), trial(1, 80, 2.0), trial(2, 70, 0.0)], 4).settings == settings[1]
    assert best([trial(0, 80, 4.0, 0.5), trial(1, 80, 4.0, 0.2)], 4).settings == settings[1]
    assert best([trial(0, 90, 9.0), trial(1, 80, 8.0)], 4).settings == settings[1]  # none is good enough


def replace_hits(said: Sequence[Event], hits: int, delay: float):  # type: ignore[no-untyped-def]
    from runnel.kws.scoring import Score

    return Score(len(said), hits, 0, 0, (delay,) * hits)


def test_settings_that_the_detector_does_not_take() -> None:
    with pytest.raises(InputError, match="does not take"):
        detect(np.zeros((4, 5), np.int8), Settings(8, 0, 50, 1, 30, 0))
