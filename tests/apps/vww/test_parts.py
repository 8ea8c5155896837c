# SPDX-License-Identifier: Apache-2.0
"""decision.c, answer.c and the port's print.c on this machine."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vww.image_filter import INCLUDES, ROOT, SRC, WARNINGS, compile_program

HERE = Path(__file__).resolve().parent


class Settings(ctypes.Structure):
    """struct decision_settings"""

    _fields_ = [
        ("on", ctypes.c_int32),
        ("off", ctypes.c_int32),
        ("on_frames", ctypes.c_uint32),
        ("off_frames", ctypes.c_uint32),
    ]


class Decision(ctypes.Structure):
    """struct decision"""

    _fields_ = [("settings", Settings), ("yes", ctypes.c_bool), ("frames", ctypes.c_uint32)]


Decide = Callable[[tuple[int, int, int, int], list[int]], list[bool]]


@pytest.fixture(scope="module")
def decide(tmp_path_factory: pytest.TempPathFactory) -> Decide:
    """What the decision is after each score; that it reports every change, and no other, is checked on the way."""
    path = tmp_path_factory.mktemp("decision") / "decision.so"
    includes = [f"-I{include}" for include in INCLUDES]
    subprocess.run(["cc", *WARNINGS, "-O1", "-shared", "-fPIC", *includes, SRC / "decision.c", "-o", path], check=True)
    library = ctypes.CDLL(str(path))
    library.decision_update.restype = ctypes.c_bool

    def run(settings: tuple[int, int, int, int], scores: list[int]) -> list[bool]:
        decision = Decision()
        library.decision_start(ctypes.byref(decision), ctypes.byref(Settings(*settings)))
        answers = []
        for score in scores:
            before = decision.yes
            changed = library.decision_update(ctypes.byref(decision), score)
            assert changed == (decision.yes != before)
            answers.append(bool(decision.yes))
        return answers

    return run


def test_yes_takes_frames_in_a_row(decide: Decide) -> None:
    assert decide((700, 500, 3, 1), [700, 900, 699, 700, 700, 700]) == [False] * 5 + [True]


def test_no_takes_frames_in_a_row(decide: Decide) -> None:
    assert decide((700, 500, 1, 2), [800, 499, 500, 499, 499]) == [True, True, True, True, False]


def test_between_the_thresholds_nothing_changes(decide: Decide) -> None:
    assert decide((700, 500, 1, 1), [600] * 5) == [False] * 5
    assert decide((700, 500, 1, 1), [700, *[500] * 5, 499, *[699] * 3]) == [True] * 6 + [False] * 4


scores = st.lists(st.integers(0, 1000), max_size=60)
thresholds = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(lambda pair: (max(pair), min(pair)))


@given(thresholds, st.integers(1, 5), st.integers(1, 5), scores)
def test_a_change_always_has_its_reason(
    decide: Decide, limits: tuple[int, int], on_frames: int, off_frames: int, values: list[int]
) -> None:
    """Written the other way round: from the changes back to the scores before them."""
    on, off = limits
    answers = [False, *decide((on, off, on_frames, off_frames), values)]
    since = 0
    for i in range(len(values)):
        needed = off_frames if answers[i] else on_frames
        against = [v < off if answers[i] else v >= on for v in values[since : i + 1]]
        changes = len(against) >= needed and all(against[-needed:])
        assert (answers[i + 1] != answers[i]) == changes
        since = i + 1 if changes else since


def test_prints_what_the_c_library_prints(tmp_path: Path) -> None:
    program = compile_program(tmp_path, [HERE / "print_program.c", ROOT / "apps" / "port" / "common" / "print.c"])
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answer")
    return compile_program(folder, [HERE / "answer_program.c", SRC / "answer.c"])


def ask(program: Path, *words: object) -> str:
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("no person,person", "1 person"), ("person,no person", "0 person"), ("cat,dog", "1 dog"), ("", "1 person")],
)
def test_finds_the_label(answers: Path, labels: str, expected: str) -> None:
    assert ask(answers, "person", labels, 1 / 256, -128, -128, -128).rsplit(" ", 1)[0] == expected


@given(st.integers(-128, 127), st.integers(-128, 127), st.floats(1e-4, 31))
def test_scores_are_thousandths(answers: Path, value: int, zero_point: int, scale: float) -> None:
    score = int(ask(answers, "person", "", scale, zero_point, -128, value).rsplit(" ", 1)[1])
    exact = 1000 * scale * (value - zero_point)
    assert abs(score - exact) <= 0.51 + 255 / 65536 + abs(exact) * 1e-6


def test_the_probability_of_one_is_not_quite_reached(answers: Path) -> None:
    assert ask(answers, "person", "", 1 / 256, -128, -128, 127) == "1 person 996"
    assert ask(answers, "person", "", 1 / 256, -128, -128, -128) == "1 person 0"
