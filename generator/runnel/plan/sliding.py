# SPDX-License-Identifier: Apache-2.0
"""Layouts of one step, given where the buffers that stay were in the step before: in the gaps, or by sliding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

_Policy = Literal["low", "high", "tight"]
_SLIDES = 3
"""Ways of sliding that are tried, the cheapest first; each packs what moves downwards or upwards."""


@dataclass(frozen=True)
class Item:
    """Buffers that take up one stretch of `bytes`; starts: name -> first byte of it in the stretch.

    lasts: one of them is there in the next step too. staying: the one that was there before, at `place`.
    lower: the one that grows into the other under it, where it is a rolling pair; exact: from just that place.
    """

    bytes: int
    starts: Mapping[str, int]
    sizes: Mapping[str, int]
    lasts: bool
    staying: str | None
    place: int
    lower: str | None
    exact: bool = False

    @property
    def base(self) -> int:
        """First byte of the stretch when the buffer that stays is not moved."""
        return self.place - (self.starts[self.staying] if self.staying is not None else 0)

    @property
    def weight(self) -> int:
        """Bytes to move when it does not keep its place."""
        return self.sizes[self.staying] if self.staying is not None else 0

    def at(self, offset: int) -> dict[str, int]:
        return {name: offset + start for name, start in self.starts.items()}


# --- without moves ------------------------------------------------------------------------------------------------


def in_gaps(items: Sequence[Item], arena: int) -> list[dict[str, int]]:
    """Layouts in which everything that was there keeps its place; none where none was found."""
    layouts: list[dict[str, int]] = []
    policies: tuple[_Policy, ...] = ("low", "high", "tight")
    for policy in policies:
        layout = _fill(items, arena, policy)
        if layout is not None and layout not in layouts:
            layouts.append(layout)
    return layouts


def _fill(items: Sequence[Item], arena: int, policy: _Policy) -> dict[str, int] | None:
    gaps = [(0, arena)]
    places: dict[str, int] = {}
    growing: list[Item] = []
    for item in sorted((i for i in items if i.staying is not None), key=lambda i: i.place):
        size = item.weight if item.lower is not None else item.bytes
        if not _take(gaps, item.place, size):
            return None
        if item.lower is None:
            places.update(dict.fromkeys(item.starts, item.place))
        else:
            places[item.staying or ""] = item.place
            growing.append(item)
    fresh = [item for item in items if item.staying is None]
    for item in growing:
        assert item.lower is not None
        offset = _grow(gaps, item, policy)
        if offset is None:
            fresh.append(Item(item.sizes[item.lower], {item.lower: 0}, item.sizes, True, None, 0, None))
        else:
            places[item.lower] = offset
    for item in sorted(fresh, key=lambda i: (not i.lasts, -i.bytes)):
        offset = _gap_for(gaps, item.bytes, policy if item.lasts else "tight")
        if offset is None:
            return None
        _take(gaps, offset, item.bytes)
        places.update(item.at(offset))
    return places


def _grow(gaps: list[tuple[int, int]], item: Item, policy: _Policy) -> int | None:
    """Takes the bytes around the upper buffer of a rolling pair for the lower one; its place, or None."""
    assert item.lower is not None
    size, distance = item.sizes[item.lower], item.starts[item.staying or ""]
    upper_end = item.place + item.weight
    below = next((gap for gap in gaps if gap[1] == item.place), (item.place, item.place))
    above = next((gap for gap in gaps if gap[0] == upper_end), (upper_end, upper_end))
    highest, lowest = min(item.place - distance, above[1] - size), below[0]
    if highest < lowest:
        return None
    if item.exact and highest != item.place - distance:
        return None
    offset = lowest if policy == "low" and not item.exact else highest
    _take(gaps, offset, min(item.place, offset + size) - offset)
    _take(gaps, upper_end, max(0, offset + size - upper_end))
    return offset


def _gap_for(gaps: Sequence[tuple[int, int]], size: int, policy: _Policy) -> int | None:
    fitting = [gap for gap in gaps if gap[1] - gap[0] >= size]
    if not fitting:
        return None
    if policy == "high":
        return fitting[-1][1] - size
    return fitting[0][0] if policy == "low" else min(fitting, key=lambda gap: gap[1] - gap[0])[0]


def _take(gaps: list[tuple[int, int]], offset: int, size: int) -> bool:
    """Takes bytes out of the gaps; False where they are not all free."""
    if size == 0:
        return True
    for number, (start, end) in enumerate(gaps):
        if start <= offset and offset + size <= end:
            rest = [(start, offset), (offset + size, end)]
            gaps[number : number + 1] = [gap for gap in rest if gap[0] < gap[1]]
            return True
    return False


# --- with moves ---------------------------------------------------------------------------------------------------


def slides(items: Sequence[Item], arena: int) -> Iterator[dict[str, int]]:
    """Layouts in which buffers that stay keep their order, the ones with the fewest bytes moved first.

    All that is new and lasts forms one block, all that is new and does not another; each may lie anywhere between
    the others. Needs no more than the sum of the items' bytes.
    """
    there = sorted((item for item in items if item.staying is not None), key=lambda item: item.place)
    lasting = [item for item in items if item.staying is None and item.lasts]
    passing = [item for item in items if item.staying is None and not item.lasts]
    found: list[tuple[int, list[Item], list[bool]]] = []
    for low in range(len(there) + 1):
        for high in range(low, len(there) + 1):
            for first, second in ((passing, lasting), (lasting, passing)):
                stack = [*there[:low], *first, *there[low:high], *second, *there[high:]]
                kept = _keep(stack, arena)
                moved = sum(item.weight for item, stays in zip(stack, kept, strict=True) if not stays)
                found.append((moved, stack, kept))
    found.sort(key=lambda entry: entry[0])
    for _, stack, kept in found[:_SLIDES]:
        yield _packed(stack, kept, 0, down=True)
        yield _packed(stack, kept, arena, down=False)


def _keep(stack: Sequence[Item], arena: int) -> list[bool]:
    """Which items may keep their places so that the others fit between them: the heaviest choice."""
    below = [0]
    for item in stack:
        below.append(below[-1] + item.bytes)
    best: list[tuple[int, int]] = []  # for each item that stays: weight up to here, the one that stays before it
    for place, item in enumerate(stack):
        if item.staying is None or item.base < below[place] or item.base > arena - (below[-1] - below[place]):
            best.append((-1, -1))
            continue
        choice = (0, -1)
        for before in range(place):
            room = item.base - stack[before].base - (below[place] - below[before])
            if best[before][0] > choice[0] and room >= 0:
                choice = (best[before][0], before)
        best.append((choice[0] + item.weight, choice[1]))
    kept = [False] * len(stack)
    place = max(range(len(stack)), key=lambda number: best[number][0], default=-1)
    while place >= 0 and best[place][0] >= 0:
        kept[place] = True
        place = best[place][1]
    return kept


def _packed(stack: Sequence[Item], kept: Sequence[bool], edge: int, *, down: bool) -> dict[str, int]:
    """Offsets of all buffers: those that do not keep their place lie upon the one below (or under the one above)."""
    places: dict[str, int] = {}
    numbers = range(len(stack)) if down else reversed(range(len(stack)))
    for number in numbers:
        item = stack[number]
        base = item.base if kept[number] else (edge if down else edge - item.bytes)
        places.update(item.at(base))
        edge = base + item.bytes if down else base
    return places
