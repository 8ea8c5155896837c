# SPDX-License-Identifier: Apache-2.0
"""Sums and products as C text, computed here where they are known."""

from __future__ import annotations

Term = int | str
"""A number, or C text of type int32_t whose value is known at run time only."""


def plus(*terms: Term) -> Term:
    """The sum, text first, then the number."""
    number = sum(term for term in terms if isinstance(term, int))
    texts = [term for term in terms if isinstance(term, str)]
    if not texts:
        return number
    text = " + ".join(texts)
    if number == 0:
        return text
    return f"{text} + {number}" if number > 0 else f"{text} - {-number}"


def minus(first: Term, second: Term) -> Term:
    """first - second."""
    if isinstance(second, int):
        return plus(first, -second)
    if first == second:
        return 0
    if isinstance(first, str) and " " not in second and first.startswith(f"{second} + "):
        rest = first.removeprefix(f"{second} + ")
        return int(rest) if rest.isdecimal() else rest
    wrapped = f"({second})" if " " in second else second
    return f"{first} - {wrapped}"


def times(term: Term, factor: int) -> Term:
    """term * factor."""
    if isinstance(term, int):
        return term * factor
    if factor in (0, 1):
        return term if factor else 0
    return f"({term}) * {factor}" if " " in term else f"{term} * {factor}"


def remainder(term: Term, divisor: int) -> Term:
    """term % divisor of a term that is not negative."""
    if isinstance(term, int):
        return term % divisor
    if divisor == 1:
        return 0
    return f"({term}) % {divisor}" if " + " in term or " - " in term else f"{term} % {divisor}"


def offset(pointer: str, distance: Term) -> str:
    """pointer + distance."""
    return pointer if distance == 0 else str(plus(pointer, distance))
