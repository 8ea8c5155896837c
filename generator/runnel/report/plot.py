# SPDX-License-Identifier: Apache-2.0
"""Matplotlib as pictures need it: figures without a window, whole files, and a clear word where it is missing."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runnel.errors import RunnelError
from runnel.output_folder import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150


def need_matplotlib(wanted: object = True) -> None:
    """Raises RunnelError where a picture is wanted (is not None) and matplotlib is not installed."""
    if wanted is None:
        return
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise RunnelError(
            "pictures as PNG need matplotlib, which is not installed; install it into the same environment: "
            f"{sys.executable} -m pip install matplotlib"
        ) from error


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure; sizes in inches. Raises RunnelError where matplotlib is not installed."""
    need_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")


def save_png(figure: Figure, path: Path) -> None:
    """Writes the figure; an interruption never leaves half a file. Raises RunnelError where it cannot be written."""
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    write_whole(path, data.getvalue())


def literal(text: str) -> str:
    """Text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")
