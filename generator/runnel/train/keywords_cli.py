# SPDX-License-Identifier: Apache-2.0
"""Command line of scripts/train_keywords (python -m runnel.train.keywords_cli)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from runnel.train.cli import exit_code

ROOT = Path(__file__).resolve().parents[3]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train_keywords",
        description="Train the keyword detector, quantize it to int8, and score it. Seeded; stop it with Ctrl-C "
        "and start it again to continue after the last finished epoch.",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/kws", help="folder of the recordings")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache/train-keywords", help="cache and checkpoint")
    parser.add_argument("--output", type=Path, default=ROOT / "models/kws", help="where keywords.tflite goes")
    parser.add_argument("--no-test", action="store_true", help="leave the test split alone (while choosing settings)")
    return parser


def print_scores(figures: dict[str, Any]) -> None:
    """Accuracy of every scored split and collection."""
    for split in ("val", "test"):
        for kind in ("float", "int8") if split in figures else ():
            for source, part in figures[split][kind].items():
                if source != "confusion":
                    share = 100 * part["correct"] / part["total"]
                    print(f"{split} {kind} {source}: {share:.2f} % ({part['correct']} of {part['total']})")


def main() -> int:
    """Exit code 0, 2 after a message about wrong input, 130 after Ctrl-C."""
    options = arguments().parse_args()
    try:
        from runnel.train.keywords import build
        from runnel.train.save import save_model
    except ImportError as error:
        print(f"training needs more packages: pip install 'runnel[search]' ({error})", file=sys.stderr)
        return 2

    def work() -> None:
        model, figures = build(options.data, options.work, use_test=not options.no_test)
        save_model(model, figures, options.output, "keywords")
        print_scores(figures)
        print(f"wrote {options.output / 'keywords.tflite'}, {len(model)} bytes")

    return exit_code("train_keywords", work)


if __name__ == "__main__":
    sys.exit(main())
