# SPDX-License-Identifier: Apache-2.0
"""How the steps of a segment take turns, and how many rows each ring therefore keeps.

The deepest step whose next row can be made makes it; when there is none, the first that can. So no row is made before
somebody waits for it, and a ring never holds more than its readers' windows and lags ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runnel.operators.base import RowForm
from runnel.schedule.rows import Span, first_row_needed, rows_needed


@dataclass(frozen=True)
class Turn:
    """A step as it takes turns. Stores are known by name.

    rows: the rows it makes, one span for each band. reads: store -> height of the tensor there. made_here: those of
    them that another step of the segment writes. writes: the store its rows go to. at_end: it makes one row, when its
    last turn is over (sums); `rows` are then those that it adds.
    """

    form: RowForm
    rows: tuple[Span, ...]
    reads: Mapping[str, int]
    made_here: frozenset[str]
    writes: str
    at_end: bool = False


@dataclass
class Observed:
    """What a run of all turns showed.

    kept: store -> rows that it had to hold at most. followed: for each step whether each of its rows was consumed at
    once by the step that it was followed by (that step's number), else None.
    """

    kept: dict[str, int] = field(default_factory=dict)
    followed: dict[int, int | None] = field(default_factory=dict)


Watch = Callable[[int, int, Callable[[str], int]], None]
"""Called with the step, the row it is about to make, and a function store -> lowest row that is still to be read."""


def take_turns(turns: Sequence[Turn], band: int, watch: Watch | None = None) -> Observed:
    """Runs one band's turns with counters instead of rows. Raises ValueError when no step can go on."""
    seen = Observed()
    made: dict[str, int] = {}
    following = [turn.rows[band].first for turn in turns]
    readers: dict[str, list[int]] = {}
    for reader, turn in enumerate(turns):
        made[turn.writes] = 0 if turn.at_end else turn.rows[band].first
        for store in turn.reads:
            readers.setdefault(store, []).append(reader)

    def lowest(store: str) -> int:
        rows = [
            first_row_needed(turns[n].form, following[n])
            for n in readers.get(store, ())
            if following[n] < turns[n].rows[band].end
        ]
        return min(rows, default=1 << 30)

    previous: int | None = None
    while (number := _deepest_ready(turns, band, following, made)) is not None:
        turn, row = turns[number], following[number]
        if previous is not None:
            _note_follower(seen, previous, number)
        if not turn.at_end or row + 1 == turn.rows[band].end:
            written = 0 if turn.at_end else row
            if watch is not None:
                watch(number, written, lowest)
            made[turn.writes] = written + 1
            kept = written + 1 - min(lowest(turn.writes), written)
            seen.kept[turn.writes] = max(seen.kept.get(turn.writes, 1), kept)
        following[number] = row + 1
        previous = number
    if previous is not None:
        seen.followed[previous] = None
    if any(row < turn.rows[band].end for row, turn in zip(following, turns, strict=True)):
        raise ValueError("a step waits for rows that nobody makes")
    return seen


def _note_follower(seen: Observed, step: int, follower: int) -> None:
    if seen.followed.setdefault(step, follower) != follower:
        seen.followed[step] = None


def _deepest_ready(turns: Sequence[Turn], band: int, following: Sequence[int], made: Mapping[str, int]) -> int | None:
    for number in reversed(range(len(turns))):
        turn, row = turns[number], following[number]
        if row < turn.rows[band].end and all(
            made[store] >= rows_needed(turn.form, row, turn.reads[store]) for store in turn.made_here
        ):
            return number
    return None
