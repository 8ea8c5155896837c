# SPDX-License-Identifier: Apache-2.0
"""Makes the folder that an app looks into for its files: `pio run -t qemu -a FOLDER-OF-PICTURES` or `-a SOUND.wav`.

Run with the generator's Python. Usage: prepare_run.py APP FOLDER ARGUMENT [--jpeg]: JPEG files stay as they are
"""

from __future__ import annotations

import sys
from pathlib import Path

from runnel.app import pictures_in, prepare_frames
from runnel.build.sound import copy_sound
from runnel.errors import InputError, RunnelError


def prepare(app: str, folder: Path, argument: Path, *, jpeg: bool) -> None:
    """Fills `folder` with what `app` reads. Raises InputError."""
    if app == "vww":
        if not argument.is_dir():
            raise InputError(f"{argument} is not a folder with pictures")
        prepare_frames(pictures_in(argument), folder, jpeg=jpeg)
        return
    copy_sound(argument, folder)


def main() -> int:
    app, folder, argument, *options = sys.argv[1:]
    try:
        prepare(app, Path(folder), Path(argument), jpeg="--jpeg" in options)
    except (RunnelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
