# SPDX-License-Identifier: Apache-2.0
"""apps/vww/src/jpeg_rows.c compiled for this machine, and what Pillow makes of the same file."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from apps.vww.image_filter import SRC, compile_program

HERE = Path(__file__).resolve().parent
SOURCES = [HERE / "jpeg_program.c", *sorted(SRC.glob("jpeg*.c")), SRC / "image.c", SRC / "image_axis.c"]
MEMORY_BYTES = 65536

Pixels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decoded:
    """`pixels`: height x width x channels of 0..255, None after an error; `needed`: bytes of memory for lines."""

    pixels: Pixels | None
    message: str
    needed: int
    rewinds: int


def compile_filter(folder: Path, compiler: str = "cc") -> Path:
    """The decoder as a program, with sanitizers."""
    return compile_program(folder, SOURCES, compiler)


def decode(
    program: Path,
    path: Path,
    size: tuple[int, int, int] = (80, 80, 3),
    *,
    memory: int = MEMORY_BYTES,
    chunk: int = 4096,
    parts: int = 1,
) -> Decoded:
    """The picture as the input of a model of `size` (width, height, channels)."""
    width, height, channels = size
    done = subprocess.run(
        [program, path, *map(str, (*size, memory, chunk, parts))], capture_output=True, timeout=120,
        env={"ASAN_OPTIONS": "detect_leaks=0"},
    )  # fmt: skip
    said = done.stderr.decode()
    found = re.match(r"needed: (\d+), rewinds: (\d+), struct: \d+\n(?:picture\.jpg (.*)\n)?$", said)
    assert found is not None, said
    assert (done.returncode == 0) == (found[3] is None), said
    pixels = None
    if done.returncode == 0:
        pixels = np.frombuffer(done.stdout, np.int8).reshape(height, width, channels).astype(np.int64) + 128
    return Decoded(pixels, found[3] or "", int(found[1]), int(found[2]))


def with_pillow(path: Path, size: tuple[int, int, int] = (80, 80, 3)) -> Pixels:
    """The same with Pillow's decoder and its antialiased bilinear resize."""
    width, height, channels = size
    picture = Image.open(path).convert("RGB")
    cut_width, cut_height = picture.size
    if cut_width * height > cut_height * width:
        cut_width = (cut_height * width + height // 2) // height
    else:
        cut_height = (cut_width * height + width // 2) // width
    left, top = (picture.width - cut_width) // 2, (picture.height - cut_height) // 2
    cut = picture.crop((left, top, left + cut_width, top + cut_height))
    small = cut.resize((width, height), Image.Resampling.BILINEAR)
    if channels == 1:
        return np.asarray(small.convert("L"), np.int64)[..., None]
    return np.asarray(small, np.int64)


def jpeg_bytes(picture: Image.Image, **options: Any) -> bytes:
    """`picture` as Pillow saves it."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def smooth_picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Colours that change slowly and stay away from 0 and 255, where decoders round and clamp differently."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 196, (max(2, height // 24), max(2, width // 24), 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
