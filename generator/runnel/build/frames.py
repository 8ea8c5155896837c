# SPDX-License-Identifier: Apache-2.0
"""Pictures as frames of a camera: C for flash, or bytes that a simulator loads into memory.

Colour pictures become RGB565 (little endian), grey ones stay a byte a pixel. JPEG files may stay as they are, for apps
that decode them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from runnel.errors import InputError

LARGEST = (320, 240)
"""Width and height that firmware has a buffer for (FRAME_BUFFER_BYTES in apps/port/common/frames_host.c)."""

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm")

JPEG_SUFFIXES = (".jpeg", ".jpg")

_MAGIC = b"FRAM"  # apps/port/common/frames_memory.h
_FORMATS = {"FRAME_RGB565_LITTLE_ENDIAN": 0, "FRAME_GREY": 2}  # apps/port/frame_source.h
_COLUMNS = 20


@dataclass(frozen=True)
class Frame:
    """What a camera would send: `format` is a name of enum frame_format, `data` height rows of row_bytes bytes.

    Of a JPEG (FRAME_JPEG) `data` is the file, row_bytes its length, and width and height are 0.
    """

    name: str
    width: int
    height: int
    row_bytes: int
    format: str
    data: bytes


def open_picture(path: Path) -> Image.Image:
    """The picture, RGB or grey (L). Raises InputError when it cannot be read."""
    try:
        with Image.open(path) as picture:
            return picture.convert("L" if picture.mode in ("1", "L", "I;16", "LA") else "RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read as a picture: {error}") from error


def to_frame(picture: Image.Image, name: str) -> Frame:
    """`picture` as a frame; colours go to the nearest value of five or six bits."""
    width, height = picture.size
    if picture.mode == "L":
        return Frame(name, width, height, width, "FRAME_GREY", picture.tobytes())
    pixels = np.asarray(picture, np.uint32)
    red, green, blue = ((pixels[..., i] * largest + 127) // 255 for i, largest in enumerate((31, 63, 31)))
    data = ((red << 11) | (green << 5) | blue).astype("<u2").tobytes()
    return Frame(name, width, height, 2 * width, "FRAME_RGB565_LITTLE_ENDIAN", data)


def is_jpeg(path: Path) -> bool:
    """Whether the name is that of a JPEG."""
    return path.suffix.lower() in JPEG_SUFFIXES


def jpeg_frame(path: Path) -> Frame:
    """A JPEG as it is. Raises InputError when it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return Frame(path.name, 0, 0, len(data), "FRAME_JPEG", data)


def shrink(picture: Image.Image) -> Image.Image:
    """A copy that fits LARGEST; the same size when it does already."""
    small = picture.copy()
    small.thumbnail(LARGEST, Image.Resampling.BILINEAR)
    return small


def frames_c(frames: Sequence[Frame]) -> str:
    """The C file that apps/port/common/frames_flash.c shows."""
    parts = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Written by runnel.frames. Do not edit. */",
        '#include "common/frames_flash.h"\n',
    ]
    for number, frame in enumerate(frames):
        parts.append(f"static const uint8_t pixels_{number}[{len(frame.data)}] = {{")
        for start in range(0, len(frame.data), _COLUMNS):
            parts.append("\t" + " ".join(f"{byte}," for byte in frame.data[start : start + _COLUMNS]))
        parts.append("};\n")
    parts.append(f"const uint32_t frames_flash_count = {len(frames)};\n")
    parts.append(f"const struct frame frames_flash[{len(frames)}] = {{")
    for number, frame in enumerate(frames):
        parts.append(
            f"\t{{.pixels = pixels_{number}, .width = {frame.width}, .height = {frame.height}, "
            f".row_bytes = {frame.row_bytes},\n\t .format = {frame.format}, .name = {_c_string(frame.name)}}},"
        )
    parts.append("};\n")
    return "\n".join(parts)


def _c_string(text: str) -> str:
    safe = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in text)
    return f'"{safe}"'


def frame_binary(frame: Frame, sequence: int) -> bytes:
    """struct frames_memory_header and the pixels; `sequence` differs from that of the frame before."""
    sizes = (sequence, frame.width, frame.height, frame.row_bytes, _FORMATS[frame.format])
    return _MAGIC + struct.pack("<5I", *sizes) + frame.data


def end_binary(sequence: int) -> bytes:
    """The header that ends the run."""
    return _MAGIC + struct.pack("<5I", sequence, 0, 0, 0, 0)
