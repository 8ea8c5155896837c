# SPDX-License-Identifier: Apache-2.0
"""Command line of scripts/train_person (python -m runnel.train)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from runnel.train.cli import exit_code

ROOT = Path(__file__).resolve().parents[3]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train_person",
        description="Train the person detector, quantize it to int8, and score it. Seeded; stop it with Ctrl-C "
        "and start it again to continue after the last finished epoch.",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/vww", help="folder of the photos")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache/train", help="folder of cache and checkpoint")
    parser.add_argument("--output", type=Path, default=ROOT / "models/person", help="where person.tflite goes")
    return parser


def main() -> int:
    """Exit code 0, 2 after a message about wrong input, 130 after Ctrl-C."""
    options = arguments().parse_args()
    try:
        from runnel.train.person import build
        from runnel.train.save import save_model
    except ImportError as error:
        print(f"training needs PyTorch and Pillow: pip install 'runnel[search]' ({error})", file=sys.stderr)
        return 2

    def work() -> None:
        result = build(options.data, options.work)
        save_model(result.model, result.figures, options.output, "person")
        for split in ("val", "test"):
            for kind in ("float", "int8"):
                parts = result.figures[split][kind].items()
                text = ", ".join(f"{name} {100 * s['correct'] / s['total']:.2f} %" for name, s in parts)
                print(f"{split} {kind}: {text}")
        print(f"wrote {options.output / 'person.tflite'}, {len(result.model)} bytes")

    return exit_code("train_person", work)


if __name__ == "__main__":
    sys.exit(main())
