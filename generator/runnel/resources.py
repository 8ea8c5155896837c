# SPDX-License-Identifier: Apache-2.0
"""Where the files that are not Python live: boards, start-up code, the C library."""

from __future__ import annotations

from pathlib import Path

from runnel.errors import RunnelError


def resource_root() -> Path:
    """The directory that holds `boards/` and `zephyr_module/`.

    The repository root in a checkout or editable install, `runnel/_data` in an installed wheel.
    Raises RunnelError when neither is there (a damaged installation).
    """
    package = Path(__file__).resolve().parent
    candidates = (package / "_data", package.parent.parent)
    for candidate in candidates:
        if (candidate / "boards" / "board.schema.json").is_file():
            return candidate
    looked_in = " and ".join(str(c) for c in candidates)
    raise RunnelError(f"Runnel's own files are missing (looked in {looked_in}); install the package again")
