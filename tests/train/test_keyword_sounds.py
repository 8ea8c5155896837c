# SPDX-License-Identifier: Apache-2.0
"""Clips, noises, places of words in a window, near misses: what a keyword net is trained on."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'runnel[search]'")
soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'runnel[search]'")

from runnel.audio.files import Samples, read_sound  # noqa: E402
from runnel.errors import InputError  # noqa: E402
from runnel.train.espeak import PROGRAM, Saying, random_sayings, say_all, variants_of  # noqa: E402
from runnel.train.keyword_examples import KeywordExamples, KeywordSounds, Mixture  # noqa: E402
from runnel.train.keyword_model import keyword_recipe  # noqa: E402
from runnel.train.near_misses import changed, near_misses, sounds_of, spelled  # noqa: E402
from runnel.train.sound_augment import LENGTH, SoundAugmentation, at_other_speed, cut, random_cut  # noqa: E402
from runnel.train.sound_cache import cached_sounds  # noqa: E402
from runnel.train.sounds import Clip, active_part, load_clips, load_noises, synthetic_noises  # noqa: E402
from runnel.train.words import Order, check_length, checked_words  # noqa: E402

needs_espeak = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")


def a_word(first: int = 5000, last: int = 9800, label: int = 2) -> Clip:
    """A tone in the middle of faint noise; the first and last sample are those of 10 ms frames."""
    random = np.random.default_rng(label)
    sound = random.normal(0, 3, 16000)
    sound[first:last] += 4000 * np.sin(np.arange(last - first) * 0.1 * label)
    return Clip(sound.astype(np.int16), label, "made up")


def material() -> KeywordSounds:
    words = [a_word(label=2 + i % 2) for i in range(6)]
    return KeywordSounds(
        words, [a_word(label=5)], [a_word(label=7).samples], synthetic_noises(4, 2.0, np.random.default_rng(1))
    )


def write_collection(root: Path) -> None:
    """Two words, an unknown one, in two splits, and a noise."""
    rows = ["path,label,set,speaker,split"]
    for label, split in (("yes", "train"), ("no", "train"), ("_unknown_", "train"), ("yes", "val")):
        path = f"ar/{label}/{split}.flac"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / path, a_word().samples, 16000)
        rows.append(f"{path},{label},ar,s1,{split}")
    (root / "index.csv").write_text("\n".join(rows) + "\n")
    (root / "ar/_background_noise_").mkdir()
    soundfile.write(root / "ar/_background_noise_/fan.flac", np.arange(1000, dtype=np.int16), 16000)


def test_clips_of_a_split_also_from_the_cache(tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    labels = ("silence", "unknown", "no", "yes")
    first = load_clips(tmp_path / "data", "train", labels, tmp_path / "cache")
    (tmp_path / "data/ar/yes/train.flac").unlink()  # so that only the cache can answer
    second = load_clips(tmp_path / "data", "train", labels, tmp_path / "cache")
    for clips in (first, second):
        assert [clip.label for clip in clips] == [3, 2, 1]
        np.testing.assert_array_equal(clips[0].samples, a_word().samples)
    with pytest.raises(InputError, match="no clips of the split test"):
        load_clips(tmp_path / "data", "test", labels, tmp_path / "cache")
    with pytest.raises(InputError, match="nowhere"):
        load_clips(tmp_path / "nowhere", "train", labels, tmp_path)


def test_processes_may_fill_the_cache_at_the_same_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    together = context.Barrier(4)
    sounds = [np.full(100_000, value, np.int16) for value in range(20)]

    def make() -> list[Samples]:
        together.wait(60)
        return sounds

    def fill() -> None:
        cached_sounds(tmp_path / "sounds.npz", make)

    processes = [context.Process(target=fill) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["sounds.npz"]
    found = cached_sounds(tmp_path / "sounds.npz", lambda: pytest.fail("not from the cache"))
    np.testing.assert_array_equal(found, sounds)


def test_splits_share_no_noise(tmp_path: Path) -> None:
    write_collection(tmp_path)
    parts = [load_noises(tmp_path, split)[0] for split in ("train", "val", "test")]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(1000))


def test_files_of_other_rates_and_channels_are_converted(tmp_path: Path) -> None:
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1).astype(np.int16), 22050)
    sound = read_sound(tmp_path / "a.wav")
    expected = 8000 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert len(sound) == 16000 and np.abs(sound - expected)[200:-200].max() < 40
    (tmp_path / "b.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"b\.wav"):
        read_sound(tmp_path / "b.wav")


def test_the_active_part_is_the_word() -> None:
    assert active_part(a_word(4800, 9600).samples) == (4800, 9600)
    assert active_part(np.zeros(50, np.int16)) == (0, 50)


def test_cuts() -> None:
    sound = np.arange(1, 20001, dtype=np.float32)
    assert cut(sound, 3)[:2].tolist() == [4, 5]
    assert cut(sound, -2)[:3].tolist() == [0, 0, 1]
    assert cut(sound, 19999)[:2].tolist() == [20000, 0]
    short = random_cut(np.ones(100, np.int16), np.random.default_rng(2))
    assert len(short) == LENGTH and short.sum() == 100


def test_speed_changes_the_length() -> None:
    sound = np.ones(4000, np.float32)
    assert len(at_other_speed(sound, 1.25)) == 3200 and len(at_other_speed(sound, 0.8)) == 5000


def test_a_whole_word_is_in_the_window_and_a_part_is_at_its_edge() -> None:
    examples, how = KeywordExamples(material()), SoundAugmentation(speed_chance=0, room_chance=0)
    random = np.random.default_rng(4)
    for _ in range(50):
        whole = examples.word(a_word(), how, random, (1.0, 1.0))
        part = examples.word(a_word(), how, random, (0.2, 0.4))
        loud = [np.flatnonzero(np.abs(sound) > 1000) for sound in (whole, part)]
        assert np.ptp(loud[0]) > 4800 - 1700
        assert np.ptp(loud[1]) < 0.4 * 4800 and (loud[1][0] < 100 or loud[1][-1] > LENGTH - 100)
    firsts = [np.flatnonzero(np.abs(examples.word(a_word(), how, random, (1.0, 1.0))) > 1000)[0] for _ in range(50)]
    assert min(firsts) < 1500 and max(firsts) > LENGTH - 4800 - 1500  # everywhere in the window


def test_batches_are_seeded_and_like_the_models_input() -> None:
    recipe = keyword_recipe(4, epochs=1)
    mixture = Mixture(other=30, parts=20, two_parts=10, babble=10, noise=30)
    epochs = [list(KeywordExamples(material(), mixture).batches(recipe, epoch)) for epoch in (0, 0, 1)]
    (inputs, targets), *_ = epochs[0]
    assert len(epochs[0]) == KeywordExamples(material(), mixture).steps(recipe)
    assert inputs.shape == (recipe.batch, 49, 40, 1) and inputs.dtype == np.float32
    assert inputs.min() >= 0 and inputs.max() <= 255 / 32
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-5)
    assert set(targets.argmax(1).tolist()) == {0, 1, 2, 3}
    np.testing.assert_array_equal(inputs, epochs[1][0][0])
    assert (inputs != epochs[2][0][0]).any()


def test_no_voice_is_in_two_splits() -> None:
    train, val, test = (set(variants_of(split)) for split in ("train", "val", "test"))
    assert train and val and test and not train & val and not train & test and not val & test


@needs_espeak
def test_sayings_differ_and_come_back_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sayings = random_sayings([("en", "lights on")], 3, "train", np.random.default_rng(1))
    first = say_all(sayings, tmp_path)
    assert len({sound.tobytes() for sound in first}) == 3
    assert all(len(sound) > 4000 and np.abs(sound.astype(int)).max() > 1000 for sound in first)
    monkeypatch.setattr("runnel.train.espeak.say", lambda _: pytest.fail("not from the cache"))
    for one, other in zip(first, say_all(sayings, tmp_path), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_espeak
def test_a_voice_that_espeak_does_not_have_is_named() -> None:
    with pytest.raises(InputError, match="qqq"):
        say_all([Saying("hello", "qqq", "m1", 150, 50)])


def test_without_espeak_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"espeak-ng was not found.*apt-get install espeak-ng"):
        say_all([])


@needs_espeak
def test_near_misses_are_near_and_none_of_the_words() -> None:
    words = ("hey runnel", "lights on")
    said = [sounds_of(word, "en") for word in words]
    assert said[1][-1].lower().startswith("n") and " " in said[1]
    texts = {saying.text for saying in near_misses(words, "en", 200, "train", np.random.default_rng(3))}
    assert len(texts) > 100 and not texts & {*words, *map(spelled, said)}
    assert {"hey", "runnel", "on lights"} <= texts


def test_changed_sounds_keep_most_of_the_word() -> None:
    random = np.random.default_rng(5)
    sounds = ("r", "'V", "n", "@", "L")
    for _ in range(50):
        other = changed(sounds, random)
        assert other != sounds and (len(other) < 5 or sum(a == b for a, b in zip(sounds, other, strict=True)) >= 3)


def test_words_are_tidied_and_bad_ones_refused() -> None:
    assert checked_words(["Hey  Runnel", "lights on"]) == ("hey runnel", "lights on")
    for words, message in (
        (["unknown"], "class that every model has"),
        (["a", "A"], "twice"),
        (["!"], "letters"),
        ([], "1 to 16 words"),
    ):
        with pytest.raises(InputError, match=message):
            checked_words(words)


def test_a_word_longer_than_the_window_is_refused() -> None:
    check_length("short", [a_word().samples])
    with pytest.raises(InputError, match=r"'long' takes 2\.0 s to say; a model hears 0\.99 s"):
        check_length("long", [np.full(32000, 1000, np.int16) * np.array([1, -1] * 16000, np.int16)])


def test_an_order_names_its_classes() -> None:
    assert Order(("go",)).labels == ("silence", "unknown", "go")
