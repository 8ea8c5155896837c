# SPDX-License-Identifier: Apache-2.0
"""Where random decisions come from: a seed (fast, exact counts) or hypothesis (which shrinks what fails)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies

T = TypeVar("T")


class Source(Protocol):
    """Random decisions. Smaller integers and earlier options are the simpler ones."""

    def integer(self, low: int, high: int) -> int:
        """A whole number in low..high, both included."""
        ...

    def real(self, low: float, high: float) -> float: ...

    def choice(self, options: Sequence[T]) -> T: ...

    def chance(self, probability: float) -> bool: ...

    def generator(self) -> np.random.Generator:
        """For whole arrays."""
        ...


class SeededSource:
    """Decisions of numpy's generator; equal seeds give equal models."""

    def __init__(self, *seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def real(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def chance(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.integer(0, 2**31 - 1))


class DrawnSource:
    """Decisions drawn by hypothesis: `draw` is that of st.data() or of a composite."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def integer(self, low: int, high: int) -> int:
        return int(self.draw(strategies.integers(low, high)))

    def real(self, low: float, high: float) -> float:
        return float(self.draw(strategies.floats(low, high, allow_nan=False)))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def chance(self, probability: float) -> bool:
        return self.integer(0, 99) >= 100 - round(100 * probability)

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.integer(0, 2**31 - 1))
