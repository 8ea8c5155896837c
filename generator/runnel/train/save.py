# SPDX-License-Identifier: Apache-2.0
"""Writes what a training gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runnel.output_folder import write_whole


def save_model(model: bytes, figures: Mapping[str, Any], folder: Path, name: str) -> None:
    """Write NAME.tflite and training.json into `folder`, each whole or not at all. Raises RunnelError."""
    write_whole(folder / f"{name}.tflite", model)
    write_whole(folder / "training.json", json.dumps(figures, indent=2, sort_keys=True) + "\n")
