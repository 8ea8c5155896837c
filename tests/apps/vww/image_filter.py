# SPDX-License-Identifier: Apache-2.0
"""apps/vww/src/image.c compiled for this machine, and the same computation in numpy."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runnel.build.frames import Frame

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "apps" / "vww" / "src"
INCLUDES = (SRC, ROOT / "apps" / "port", ROOT / "zephyr_module" / "include")
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion")
FORMATS = {"FRAME_RGB565_LITTLE_ENDIAN": 0, "FRAME_RGB565_BIG_ENDIAN": 1, "FRAME_GREY": 2}

Bytes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.int8]


@dataclass(frozen=True)
class ModelInput:
    """What image.c must know of a model: real = (pixel - mean) / std, value = real / scale + zero_point."""

    width: int
    height: int
    channels: int
    bgr: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)
    scale: float = 1 / 255
    zero_point: int = -128


def compile_program(folder: Path, sources: Sequence[Path], compiler: str = "cc", *, sanitize: bool = True) -> Path:
    """A program of `sources`, which find the app's headers."""
    program = folder / sources[0].stem
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all") if sanitize else ("-O2",)
    includes = [f"-I{include}" for include in INCLUDES]
    subprocess.run([compiler, *WARNINGS, *flags, *includes, *sources, "-o", program], check=True)
    return program


def run_filter(program: Path, cases: Sequence[tuple[Frame, ModelInput]]) -> list[Values | None]:
    """What image.c makes of each frame: height x width x channels, None where it says that it cannot."""
    records = b"".join(_record(frame, model) for frame, model in cases)
    done = subprocess.run([program], input=records, capture_output=True, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 0, done.stderr.decode()
    results: list[Values | None] = []
    data = memoryview(done.stdout)
    for _, model in cases:
        possible, data = data[0] == 1, data[1:]
        if not possible:
            results.append(None)
            continue
        count = model.height * model.width * model.channels
        shape = (model.height, model.width, model.channels)
        results.append(np.frombuffer(data[:count], np.int8).reshape(shape)[::-1])
        data = data[count:]
    assert not data
    return results


def _record(frame: Frame, model: ModelInput) -> bytes:
    sizes = (frame.width, frame.height, frame.row_bytes, FORMATS[frame.format])
    shape = (model.width, model.height, model.channels, int(model.bgr), model.zero_point)
    return struct.pack("<9i7f", *sizes, *shape, *model.mean, *model.std, model.scale) + frame.data


def weights(length: int, count: int) -> npt.NDArray[np.int64]:
    """count x length: what each pixel of the frame contributes to each pixel of the model, in whole numbers."""
    pixels, centres = np.arange(length), np.arange(count)
    distance = np.abs((2 * pixels + 1) * count - (2 * centres[:, None] + 1) * length)
    height = 2 * max(length, count)
    shift = 0
    while (height // 2 * height // count) >> shift > 450:
        shift += 1
    return np.maximum(height - distance, 0).astype(np.int64) >> shift


def cut(frame: Frame, model: ModelInput) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part that the model sees."""
    width, height = frame.width, frame.height
    if width * model.height > height * model.width:
        width = (height * model.width + model.height // 2) // model.height
    else:
        height = (width * model.height + model.width // 2) // model.width
    return (frame.width - width) // 2, (frame.height - height) // 2, width, height


def unpack(frame: Frame) -> list[tuple[npt.NDArray[np.int64], int]]:
    """The planes of a frame (red, green, blue; or grey), each with its largest value."""
    rows = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.row_bytes)
    if frame.format == "FRAME_GREY":
        return [(rows[:, : frame.width].astype(np.int64), 255)]
    order = "<u2" if frame.format == "FRAME_RGB565_LITTLE_ENDIAN" else ">u2"
    pixels = np.ascontiguousarray(rows[:, : 2 * frame.width]).view(order).astype(np.int64)
    return [(pixels >> 11, 31), (pixels >> 5 & 63, 63), (pixels & 31, 31)]


def reference_pixels(frame: Frame, model: ModelInput) -> npt.NDArray[np.int64]:
    """Height x width x channels of 0..255, in the model's order of colours."""
    left, top, width, height = cut(frame, model)
    rows, columns = weights(height, model.height), weights(width, model.width)
    total = rows.sum(1)[:, None] * columns.sum(1)
    planes = []
    for plane, largest in unpack(frame):
        sums = rows @ plane[top : top + height, left : left + width] @ columns.T
        divisor = total * largest
        planes.append((2 * sums * 255 + divisor) // (2 * divisor))
    if len(planes) == 3 and model.channels == 1:
        red, green, blue = planes
        planes = [(19595 * red + 38470 * green + 7471 * blue + 32768) >> 16]
    if len(planes) == 1:
        planes *= model.channels
    return np.stack(planes[::-1] if model.bgr else planes, axis=-1)


def quantize(pixels: npt.NDArray[np.int64], model: ModelInput) -> Values:
    """Pixels of 0..255 as the model's input."""
    if all(m == 0 for m in model.mean) and all(s == 1 for s in model.std):
        return (pixels - 128).astype(np.int8)
    mean = np.array(model.mean[: model.channels], np.float32)
    std = np.array(model.std[: model.channels], np.float32)
    steps = (pixels.astype(np.float32) - mean) / std / np.float32(model.scale) + np.float32(model.zero_point)
    return np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)), -128, 127).astype(np.int8)
