# SPDX-License-Identifier: Apache-2.0
"""Inputs of a model: a user's file as an array of the model's input type, or seeded random arrays.

Images: cut at the centre to the aspect ratio of the input, scaled bilinearly (with antialiasing when shrinking), grey
or RGB by the input's channels. A model that carries `mean` and `std` gets (pixel - mean) / std through the input's
quantization; any other gets pixel - 128 (int8), the pixel (uint8), or (pixel - 128) / 128 (float32).
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.audio.front_end import features_of_clip, takes_features
from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import InputError
from runnel.graph import Tensor

Array = npt.NDArray[Any]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
SOUND_SUFFIXES = (".wav",)


def load_input(path: Path | str, edge: Tensor, metadata: Mapping[str, Any] | None = None) -> Array:
    """The file at `path` as an array of the shape and type of `edge`; metadata is `Graph.metadata`.

    Raises InputError when the file is missing, damaged, of an unknown kind, or does not fit the input.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"input file {path} does not exist" if not path.exists() else f"{path} is not a file")
    suffix = path.suffix.lower()
    readers: dict[str, Callable[[], Array]] = {
        **dict.fromkeys(IMAGE_SUFFIXES, lambda: _image(path, edge, metadata or {})),
        **dict.fromkeys(SOUND_SUFFIXES, lambda: _sound(path, edge)),
        ".npy": lambda: _numpy(path, edge),
        ".bin": lambda: _raw(path, edge),
        ".raw": lambda: _raw(path, edge),
    }
    if suffix not in readers:
        raise InputError(f"cannot read {path}: known are {', '.join(sorted(readers))}")
    try:
        return readers[suffix]()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def describe(edge: Tensor) -> str:
    """The input in words, for messages."""
    return f"input '{edge.name}' ({'x'.join(str(d) for d in edge.shape)} {edge.type}, {edge.bytes} bytes)"


def _image(path: Path, edge: Tensor, metadata: Mapping[str, Any]) -> Array:
    from PIL import Image, ImageOps

    if len(edge.shape) != 4 or edge.shape[3] not in (1, 3):
        raise InputError(f"{path} is an image; {describe(edge)} is not: it needs a shape 1xHxWx1 or 1xHxWx3")
    _, height, width, channels = edge.shape
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read the image {path}: {error}") from None
    scale = min(image.width / width, image.height / height)
    cut_width, cut_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (image.width - cut_width) // 2, (image.height - cut_height) // 2
    # cut first: resize(box=…) lets pixels beyond the box bleed in
    cut = image.crop((left, top, left + cut_width, top + cut_height))
    resized = cut.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(resized, dtype=np.float64).reshape(edge.shape)
    if str(metadata.get("colour_order", "")).lower() == "bgr":
        pixels = pixels[..., ::-1]
    return from_pixels(pixels, edge, metadata)


def from_pixels(pixels: Array, edge: Tensor, metadata: Mapping[str, Any]) -> Array:
    """Pixels 0..255 in the shape of `edge` as values of its type; see the top of this file for the rules."""
    if metadata.get("mean") is not None and metadata.get("std") is not None:
        channels = edge.shape[-1]
        mean, std = (_per_channel(metadata[key], key, channels) for key in ("mean", "std"))
        return _quantize((pixels - mean) / std, edge)
    if edge.type == "int8":
        return (np.round(pixels) - 128).astype(np.int8)
    if edge.type == "uint8":
        return np.round(pixels).astype(np.uint8)
    if edge.type == "float32":
        return ((pixels - 128) / 128).astype(np.float32)
    raise InputError(f"an image cannot become {describe(edge)}: only int8, uint8 and float32 inputs take images")


def _per_channel(values: Any, key: str, channels: int) -> Array:
    """One number for all channels or one for each. Raises InputError where there are others."""
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if array.size != 1 and np.all(array == array[0]):
        array = array[:1]
    if array.size not in (1, channels) or (key == "std" and not np.all(array > 0)):
        raise InputError(f"the model's metadata says {key} = {array.tolist()} for an input of {channels} channel(s)")
    return array


def _quantize(values: Array, edge: Tensor) -> Array:
    if edge.type == "float32":
        return values.astype(np.float32)
    if edge.quantization is None or edge.type not in ("int8", "uint8"):
        raise InputError(f"an image cannot become {describe(edge)}: only int8, uint8 and float32 inputs take images")
    limits = np.iinfo(edge.type)
    steps = np.round(values / edge.quantization.scale) + edge.quantization.zero_point
    return np.clip(steps, limits.min, limits.max).astype(edge.type)


def _numpy(path: Path, edge: Tensor) -> Array:
    try:
        array: Array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, MemoryError) as error:
        raise InputError(f"cannot read the array {path}: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.name != edge.type:
        found = array.dtype.name if isinstance(array, np.ndarray) else "an archive of several arrays"
        raise InputError(f"{path} holds {found}; {describe(edge)} needs {edge.type}")
    without_batch = edge.shape[1:]
    if array.shape not in (edge.shape, without_batch):
        found = "x".join(str(d) for d in array.shape) or "a single number"
        raise InputError(f"{path} has the shape {found}; {describe(edge)} needs {'x'.join(map(str, edge.shape))}")
    return np.ascontiguousarray(array).reshape(edge.shape)


def _raw(path: Path, edge: Tensor) -> Array:
    data = path.read_bytes()
    if len(data) != edge.bytes:
        raise InputError(f"{path} holds {len(data)} bytes; {describe(edge)} needs {edge.bytes}")
    little_endian = np.dtype(edge.type).newbyteorder("<")
    return np.frombuffer(data, dtype=little_endian).astype(edge.type).reshape(edge.shape)


def _sound(path: Path, edge: Tensor) -> Array:
    try:
        with wave.open(str(path), "rb") as sound:
            channels, bits, rate = sound.getnchannels(), sound.getsampwidth() * 8, sound.getframerate()
            frames, data = sound.getnframes(), sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise InputError(f"cannot read the sound {path}: {error or 'it ends too early'}") from None
    found = f"{path} holds {frames} samples of {bits} bits, {channels} channel(s), {rate} Hz"
    if (channels, bits) != (1, 16):
        raise InputError(f"{found}; only mono sounds of 16 bits are supported")
    samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.float64)
    if samples.size != frames:
        raise InputError(f"{found}, says its header, but only {samples.size} samples follow: the file is cut off")
    if takes_features(edge):
        if rate != SAMPLE_RATE or samples.size > SAMPLE_RATE:
            raise InputError(f"{found}; {describe(edge)} takes the features of up to one second at {SAMPLE_RATE} Hz")
        return features_of_clip(samples.astype(np.int16)).reshape(edge.shape)
    if samples.size != edge.elements:
        raise InputError(
            f"{found}; {describe(edge)} takes {edge.elements} elements. A front end of its own is not known here: "
            "compute the features yourself and pass them as .npy or .bin"
        )
    if edge.type == "int16":
        return samples.astype(np.int16).reshape(edge.shape)
    return _quantize(samples / 32768, edge).reshape(edge.shape)


def random_inputs(edges: Sequence[Tensor], count: int, seed: int) -> list[list[Array]]:
    """`count` inferences with one array per edge; the same for the same seed.

    Uniform noise mostly; in turn also smooth ramps with noise, only the two extremes, all at one extreme, and
    values close to the zero point.
    """
    generator = np.random.default_rng(seed)
    return [[_random_array(edge, number, generator) for edge in edges] for number in range(count)]


def _random_array(edge: Tensor, number: int, generator: np.random.Generator) -> Array:
    low, high = _range(edge)
    unit = _random_unit(edge, number, generator)
    values = low + unit * (high - low)
    if edge.type == "float32":
        if number % 2 and edge.quantization is not None:  # values halfway between two steps show how ties are rounded
            half = edge.quantization.scale / 2
            values = np.round(values / half) * half
        return values.astype(np.float32)
    return np.clip(np.round(values), low, high).astype(edge.type)


def _random_unit(edge: Tensor, number: int, generator: np.random.Generator) -> Array:
    """Numbers in 0..1 in the shape of `edge`; `number` picks the kind."""
    shape = edge.shape
    uniform = generator.random(shape)
    ramp = np.linspace(0, 1, edge.elements).reshape(shape)
    centre = 0.5
    if edge.quantization is not None and edge.type in ("int8", "uint8"):
        low, high = _range(edge)
        centre = (edge.quantization.zero_point - low) / (high - low)
    kinds: tuple[Array, ...] = (
        uniform,
        np.clip(ramp + (uniform - 0.5) / 4, 0, 1),
        np.round(uniform),
        uniform,
        np.zeros(shape),
        np.ones(shape),
        np.clip(centre + (uniform - 0.5) / 16, 0, 1),
        uniform,
    )
    return kinds[number % len(kinds)]


def _range(edge: Tensor) -> tuple[float, float]:
    """The least and the greatest value that a random input takes."""
    if edge.type != "float32":
        if edge.type not in ("int8", "uint8", "int16", "int32"):
            raise InputError(f"no random values for {describe(edge)}")
        limits = np.iinfo(edge.type)
        return float(limits.min), float(limits.max)
    if edge.quantization is None or not edge.quantization.scales:
        return -1.5, 1.5
    return -140 * edge.quantization.scale, 140 * edge.quantization.scale
