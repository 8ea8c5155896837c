# SPDX-License-Identifier: Apache-2.0
"""Command line of scripts/train_words (python -m runnel.train.words_cli)."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from runnel.output_folder import write_whole
from runnel.train.cli import exit_code

ROOT = Path(__file__).resolve().parents[3]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train_words",
        description="Train a model that listens for words of your choice, from synthetic voices (espeak-ng). It is "
        "tested on synthetic voices only. Stop it with Ctrl-C; the same command continues after the last epoch.",
    )
    parser.add_argument("--words", nargs="+", required=True, metavar="WORD", help="words or short phrases, quoted")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where keywords.tflite goes")
    parser.add_argument("--language", default="en", help="of the words, as espeak-ng names it [default: en]")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR", help="people's speech and noise that is not the words"
    )
    parser.add_argument("--epochs", type=int, help="passes over the examples [default: 20]")
    parser.add_argument("--work", type=Path, help="cache and checkpoint [default: .cache/train-words-...]")
    parser.add_argument("--quick", action="store_true", help="few examples and 2 epochs: a try, not a usable model")
    return parser


def main() -> int:
    """Exit code 0, 2 after a message about wrong input, 130 after Ctrl-C."""
    options = arguments().parse_args()
    try:
        from runnel.train.keywords_cli import print_scores
        from runnel.train.save import save_model
        from runnel.train.words import QUICK, Order, build
        from runnel.train.words_card import words_card
    except ImportError as error:
        print(f"training needs more packages: pip install 'runnel[search]' ({error})", file=sys.stderr)
        return 2
    settings = dict(QUICK) if options.quick else {}
    if options.epochs is not None:
        settings["epochs"] = options.epochs
    order = Order(tuple(options.words), options.language, options.recordings, **settings)
    folder = options.work or ROOT / f".cache/train-words-{hashlib.sha256(repr(order).encode()).hexdigest()[:12]}"

    def work() -> None:
        model, figures = build(order, folder)
        save_model(model, figures, options.output, "keywords")
        command = ["./scripts/train_words", *sys.argv[1:]]
        write_whole(options.output / "README.md", words_card(figures, len(model), command))
        print_scores(figures)
        print(f"wrote {options.output / 'keywords.tflite'}, {len(model)} bytes; evidence: synthetic voices only")

    return exit_code("train_words", work)


if __name__ == "__main__":
    sys.exit(main())
