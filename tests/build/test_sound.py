# SPDX-License-Identifier: Apache-2.0
"""Messages about a sound name the file that the user named, not its copy."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from runnel.build.sound import copy_sound
from runnel.errors import InputError


def _write(path: Path, channels: int = 1, rate: int = 16000, bits: int = 16) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setframerate(rate)
        sound.setsampwidth(bits // 8)
        sound.writeframes(bytes(channels * bits // 8 * 100))
    return path


def test_the_copy_is_alone_in_its_folder(tmp_path: Path) -> None:
    wav = _write(tmp_path / "mine.wav")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "old.ppm").touch()
    copy_sound(wav, folder)
    assert [path.name for path in folder.iterdir()] == ["sound.wav"]
    assert (folder / "sound.wav").read_bytes() == wav.read_bytes()


@pytest.mark.parametrize(
    ("format_", "message"),
    [
        ({"channels": 2}, "2 channels, 16000 Hz, 16 bits"),
        ({"rate": 44100}, "1 channels, 44100 Hz, 16 bits"),
        ({"bits": 8}, "1 channels, 16000 Hz, 8 bits"),
    ],
)
def test_another_format(format_: dict[str, int], message: str, tmp_path: Path) -> None:
    wav = _write(tmp_path / "mine.wav", **format_)
    with pytest.raises(InputError) as raised:
        copy_sound(wav, tmp_path / "run")
    assert f"{wav}: {message}; supported is" in str(raised.value)
    assert f"ffmpeg -i {wav} " in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_no_wav_at_all(tmp_path: Path) -> None:
    wav = tmp_path / "mine.wav"
    with pytest.raises(InputError, match=r"there is no sound .*mine\.wav"):
        copy_sound(wav, tmp_path / "run")
    wav.write_bytes(b"fLaC and more of it")
    with pytest.raises(InputError, match=r"mine\.wav: not a wav file"):
        copy_sound(wav, tmp_path / "run")


def test_what_python_cannot_read_is_left_to_the_app(tmp_path: Path) -> None:
    """WAVE_FORMAT_EXTENSIBLE, which the app takes and Python before 3.12 does not."""
    wav = _write(tmp_path / "mine.wav")
    data = bytearray(wav.read_bytes())
    data[20:22] = (0xFFFE).to_bytes(2, "little")
    wav.write_bytes(data)
    copy_sound(wav, tmp_path / "run")
    assert (tmp_path / "run" / "sound.wav").read_bytes() == data
