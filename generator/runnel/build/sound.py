# SPDX-License-Identifier: Apache-2.0
"""The sound that apps/kws listens to when it runs on this machine or in an emulator."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

from runnel.errors import InputError

SOUND_FILE = "sound.wav"
"""What the app calls its sound, in its working directory."""

_SUPPORTED = (1, 16000, 16)  # channels, Hz, bits


def copy_sound(wav: Path, folder: Path) -> None:
    """Makes `folder` anew, with a copy of `wav` for the app. Raises InputError where the app could not read it.

    The app checks its sound too, but it knows no other name for it than that of the copy.
    """
    _check_sound(wav)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(wav, folder / SOUND_FILE)


def _check_sound(wav: Path) -> None:
    if not wav.is_file():
        raise InputError(f"there is no sound {wav}")
    convert = f"This converts it: ffmpeg -i {wav} -ac 1 -ar 16000 -c:a pcm_s16le out.wav"
    try:
        with wav.open("rb") as file:
            head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise InputError(f"{wav}: not a wav file (it does not begin with RIFF and WAVE). {convert}")
        with wave.open(str(wav), "rb") as sound:
            found = (sound.getnchannels(), sound.getframerate(), 8 * sound.getsampwidth())
    except (wave.Error, EOFError):
        return  # the app's reader knows more kinds than Python's, and says what is wrong with others
    except OSError as error:
        raise InputError(f"{wav}: cannot be read: {error.strerror or error}") from error
    if found != _SUPPORTED:
        raise InputError(
            f"{wav}: {found[0]} channels, {found[1]} Hz, {found[2]} bits; supported is PCM, 1 channel, 16000 Hz, "
            f"16 bits. {convert}"
        )
