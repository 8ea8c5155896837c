# SPDX-License-Identifier: Apache-2.0
"""Runs apps/kws on a stream, in the emulator or on this machine, and scores what it printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runnel.app import compile_app_model, run_app
from runnel.boards import Board
from runnel.build.app import find_app
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.compiler import load_model
from runnel.errors import InputError, RunError
from runnel.kws.scoring import Heard, Score, parse_console, score
from runnel.kws.streams import Stream, write_stream

TIMEOUT_S = 3600.0

_STATISTICS = re.compile(r", (\d+) cycles a row, (\d+) a run of the model")


@dataclass(frozen=True)
class Measured:
    """What came of a stream. `ticks`: of a row of features and of a run of the model, by the board's own clock."""

    score: Score
    heard: tuple[Heard, ...]
    ticks: tuple[int, int]


def labels_of(model: Path) -> tuple[str, ...]:
    """The model's labels. Raises InputError for a model that is none for apps/kws."""
    labels = load_model(model).metadata.get("labels")
    if not isinstance(labels, (list, tuple)) or len(labels) < 3:
        raise InputError(f"{model} has no labels: a keyword model's metadata list silence, unknown and the words")
    return tuple(map(str, labels))


def build_kws(model: Path, board: Board, folder: Path, defines: tuple[str, ...] = ()) -> BuiltApp:
    """apps/kws with this model and these settings, reading a wav file of the host."""
    app = find_app("kws")
    generated = compile_app_model(app, model, board, folder / "generated")
    return build_app(app, board, generated, folder, AppOptions("host", (), defines))


def listen(
    built: BuiltApp, stream: Stream, labels: tuple[str, ...], *, exact_times: bool, report: Callable[[str], None]
) -> Measured:
    """The app's detections in `stream`. `exact_times`: count instructions, which takes longer.

    Raises RunError when the app fails or does not get to the end.
    """
    folder = built.path.parent / "run"
    folder.mkdir(parents=True, exist_ok=True)
    write_stream(stream, folder / "sound.wav")
    lines: list[str] = []

    def follow(line: str) -> None:
        lines.append(line)
        report(f"{built.board.name}, {stream.seconds:.0f} s of sound: {line}")

    code, _ = run_app(built, folder, count_instructions=exact_times, timeout_s=TIMEOUT_S, on_line=follow)
    if code != 0:
        raise RunError(f"apps/kws ended with exit code {code}; its last lines:\n" + "\n".join(lines[-5:]))
    text = "\n".join(line.rstrip() for line in lines)
    heard = tuple(parse_console(text, labels, stream.seconds))
    ticks = _STATISTICS.search(text)
    return Measured(score(stream.events, heard), heard, (int(ticks[1]), int(ticks[2])) if ticks else (0, 0))
