# SPDX-License-Identifier: Apache-2.0
"""The card (README.md) of a model made by scripts/train_words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def _row(name: str, part: Mapping[str, Any]) -> str:
    return f"| {name} | {100 * part['correct'] / part['total']:.1f} % ({part['correct']} of {part['total']}) |\n"


def words_card(figures: Mapping[str, Any], size: int, command: Sequence[str]) -> str:
    """Markdown: what the model is, what is known of it (synthetic voices only), and how to make it again.

    size: bytes of the model. command: the words of the command line.
    """
    scores = figures["test"]["int8"]
    words = ", ".join(f"`{word}`" for word in figures["labels"][2:])
    recipe = figures["recipe"]
    settings = f"Seed {recipe['seed']}, {recipe['epochs']} epochs, {recipe['threads']} threads"
    rows = "".join(_row(name, part) for name, part in scores.items() if name != "confusion")
    per_word = "".join(_row(f"`{word}`", part) for word, part in scores["words"]["labels"].items())
    recorded = (
        "Recordings of people (other words than these) and of noise were used as examples of what is none of the\n"
        "words: those of the folder after `--recordings` below."
        if figures["recordings_as_unknown"]
        else "No recording of a person or a room was used at all."
    )
    credit = (
        "The recordings have the licences of their collection; those of ../shared/data/kws (CC BY 4.0, its digits\n"
        "CC BY-SA 4.0) and whom to credit stand in models/kws/README.md.\n"
        if figures["recordings_as_unknown"]
        else ""
    )
    return f"""<!-- SPDX-License-Identifier: Apache-2.0 -->
# Words from synthetic voices: {words}

**Synthetic evidence only.** Every example of these words was spoken by espeak-ng, in training and in the test, and the
rooms and most of the noise are made up, too. The figures below say that the model knows what such voices say. They
say nothing about people: expect far less, and test with the people who will use it.

`keywords.tflite`, {size:,} bytes, int8: 49 x 40 features (`runnel/audio/features.h`) in, probabilities out.
Classes: {", ".join(f"`{label}`" for label in figures["labels"])}.

| test (voices not used in training), int8 | right |
|---|---|
{rows}{per_word}
Synthetic voices say `words` and `near misses` (one or two sounds changed, or a part of a word left out).
`words in noise` are the same words in made-up rooms with noise 5 to 20 dB below them.
{recorded}

Licences: the words were spoken by espeak-ng (a GPL-3.0-or-later program; its output is not covered by its licence).
{credit}The weights are Apache-2.0, like the rest of the project.

## Making it again

    {shlex.join(command)}

{settings}, PyTorch {figures["torch"]}; {figures["training_seconds"]} s of training.
Other versions of espeak-ng or another processor give other weights.
"""
