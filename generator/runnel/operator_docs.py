# SPDX-License-Identifier: Apache-2.0
"""What operators are supported, with their constraints, from the docstrings that the checker itself carries."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from runnel.operators import known_operators

_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `runnel operators --markdown`; a test compares this page with what the command prints today. -->
# Supported operators

An operator of a model compiles when every line in its right column holds. A model that breaks one is refused with the
operator's number, what was found and this line. Outputs equal those of TensorFlow Lite Micro's kernels bit for bit.

| operator | what it does | supported when |
|---|---|---|
"""


@dataclass(frozen=True)
class OperatorEntry:
    """One operator as users see it."""

    kind: str
    summary: str
    constraints: tuple[str, ...]


def operator_entries() -> tuple[OperatorEntry, ...]:
    """All supported operators by name; each constraint is one sentence."""
    return tuple(
        OperatorEntry(kind, operator.summary, tuple(_sentence(c.__doc__) for c in operator.constraints))
        for kind, operator in sorted(known_operators().items())
    )


def operators_markdown() -> str:
    """The whole of docs/operators.md."""
    rows = [
        f"| {entry.kind} | {_cell(entry.summary)} | {'<br>'.join(_cell(c) for c in entry.constraints) or '–'} |"
        for entry in operator_entries()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _sentence(docstring: str | None) -> str:
    return " ".join(inspect.cleandoc(docstring or "(not documented)").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
