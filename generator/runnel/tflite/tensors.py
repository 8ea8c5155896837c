# SPDX-License-Identifier: Apache-2.0
"""Reads tensors: shape, type, quantization and constant data, each checked against the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError, UnsupportedError
from runnel.graph import ELEMENT_BYTES, Quantization, Tensor
from runnel.tflite.flatbuffer import Table
from runnel.tflite.schema import ELEMENT_TYPES, enumeration

DIMENSION_LIMIT = 8
BYTES_LIMIT = 2**31 - 1
NAME_LENGTH = 160

_ZERO_POINTS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-(2**15), 2**15 - 1), "int32": (-(2**31), 2**31 - 1)}

_TYPE_ADVICE = {
    "FLOAT16": "float16 models are not supported: convert with full-integer post-training quantization "
    "(inference_input_type and inference_output_type int8) instead of float16 quantization",
    "INT4": "int4 weights are not supported yet: convert with int8 weights",
    "STRING": "text inside a model is not supported",
    "RESOURCE": "variables and resources are not supported: freeze the model before converting it",
    "VARIANT": "variables and resources are not supported: freeze the model before converting it",
}


def read_tensor(model: Table, subgraph: Table, index: int, data: bytes) -> Tensor:
    """Tensor number `index` of the file; its name is as stored. Raises ModelError or UnsupportedError."""
    table = subgraph.entry("tensors", index, f"tensor {index}")
    name = _short(table.text("name")) or f"tensor_{index}"
    table = Table(table.raw, table.size, table.source, f"tensor {index} '{name}'")
    shape = _shape(table)
    kind = _type(table)
    _check_storage(table, shape, kind)
    content = _buffer(model, table, data)
    array = None if content is None else _constant(table, content, shape, kind)
    return Tensor(index, name, shape, kind, _quantization(table, shape, kind), array)


def _short(name: str) -> str:
    """Converters join the names of all layers that they fused; both ends of that tell enough."""
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH // 2]}...{name[-NAME_LENGTH // 2 :]}"


def _shape(table: Table) -> tuple[int, ...]:
    shape = table.integers("shape", most=DIMENSION_LIMIT)
    signature = table.integers("shape_signature", most=DIMENSION_LIMIT) or shape
    if len(signature) != len(shape):
        raise ModelError(f"{table.source}: {table.what} has shape {list(shape)} but signature {list(signature)}")
    # Converters leave the batch open (-1) and store 1 as its size; that is a fixed shape for us.
    open_dimensions = [i for i, size in enumerate(signature) if size == -1 and not (i == 0 and shape[0] == 1)]
    if -1 in shape or open_dimensions:
        raise UnsupportedError(
            f"{table.source}: {table.what} has a dynamic shape {list(signature)}; only fixed shapes are supported: "
            "give the model a fixed input shape (batch 1) before converting it"
        )
    if any(size < 1 for size in shape):
        raise ModelError(f"{table.source}: {table.what} has shape {list(shape)}; every dimension must be at least 1")
    return shape


def _type(table: Table) -> str:
    number = int(table.get("type"))
    name = enumeration("TensorType").get(number)
    if name is None:
        raise ModelError(f"{table.source}: {table.what} has the unknown element type {number}; the file is damaged")
    kind = ELEMENT_TYPES.get(name)
    if kind is None:
        advice = _TYPE_ADVICE.get(name, f"supported are {', '.join(ELEMENT_TYPES.values())}")
        raise UnsupportedError(f"{table.source}: {table.what} has element type {name}; {advice}")
    return kind


def _check_storage(table: Table, shape: tuple[int, ...], kind: str) -> None:
    size = math.prod(shape) * ELEMENT_BYTES[kind]
    if size > BYTES_LIMIT:
        raise ModelError(
            f"{table.source}: {table.what} has shape {list(shape)}, {size} bytes; at most {BYTES_LIMIT} are supported"
        )
    if table.get("is_variable"):
        raise UnsupportedError(
            f"{table.source}: {table.what} is a variable (state kept between runs), which is not supported: "
            "convert a stateless model"
        )
    if table.child("sparsity", "sparsity") is not None:
        raise UnsupportedError(
            f"{table.source}: {table.what} is stored as a sparse tensor, which is not supported: "
            "convert the model without sparse storage"
        )


def _buffer(model: Table, table: Table, data: bytes) -> memoryview | npt.NDArray[Any] | None:
    """The stored bytes of a constant; None for a tensor that is computed. Buffer 0 is empty by convention."""
    number = int(table.get("buffer"))
    buffer = model.entry("buffers", number, f"buffer {number} of {table.what}")
    offset, size = int(buffer.get("offset")), int(buffer.get("size"))
    if offset > 1:  # stored behind the flatbuffer, as files above 2 GB do; 1 is a converter's placeholder
        if offset + size > len(data):
            raise ModelError(
                f"{table.source}: {table.what}: its data at {offset} .. {offset + size} lies outside the file "
                f"of {len(data)} bytes; the file is truncated"
            )
        return memoryview(data)[offset : offset + size]
    content = buffer.array("data", 1, len(data))
    return content if len(content) else None


def _constant(
    table: Table, content: memoryview | npt.NDArray[Any], shape: tuple[int, ...], kind: str
) -> npt.NDArray[Any]:
    expected = math.prod(shape) * ELEMENT_BYTES[kind]
    if len(content) != expected:
        raise ModelError(
            f"{table.source}: {table.what}: its data has {len(content)} bytes, but shape {list(shape)} of {kind} "
            f"takes {expected}; the file is damaged"
        )
    if kind == "bool":
        truth: npt.NDArray[Any] = np.frombuffer(content, dtype=np.uint8) != 0
        return truth.reshape(shape)
    stored = np.frombuffer(content, dtype=np.dtype(kind).newbyteorder("<"))
    native: npt.NDArray[Any] = stored.astype(np.dtype(kind), copy=False)
    return native.reshape(shape)


def _quantization(table: Table, shape: tuple[int, ...], kind: str) -> Quantization | None:
    """Scales and zero points; None where the file gives none or the type has no use for them."""
    limits = _ZERO_POINTS.get(kind)
    stored = table.child("quantization", f"quantization of {table.what}")
    if stored is None or limits is None:
        return None
    scales = stored.floats("scale")
    if not scales:
        return None
    zero_points = stored.integers("zero_point", element_bytes=8) or (0,) * len(scales)
    axis = int(stored.get("quantized_dimension"))
    if kind == "int32" and not _fits(axis, len(scales), shape):
        return None  # biases of real files name the dimension of their weights; no kernel reads a bias's scales
    _check_axis(table, axis, len(scales), shape)
    _check_scales(table, scales)
    if len(zero_points) != len(scales):
        raise ModelError(
            f"{table.source}: {table.what} has {len(scales)} scales but {len(zero_points)} zero points; "
            "there must be equally many"
        )
    outside = next((zero for zero in zero_points if not limits[0] <= zero <= limits[1]), None)
    if outside is not None:
        raise ModelError(
            f"{table.source}: {table.what} has zero point {outside}; {kind} allows {limits[0]} to {limits[1]}"
        )
    # With one scale the dimension means nothing, and files hold anything there.
    return Quantization(scales, zero_points, axis if len(scales) > 1 else 0)


def _fits(axis: int, scales: int, shape: tuple[int, ...]) -> bool:
    return scales == 1 or (0 <= axis < len(shape) and scales == shape[axis])


def _check_axis(table: Table, axis: int, scales: int, shape: tuple[int, ...]) -> None:
    if _fits(axis, scales, shape):
        return
    if not 0 <= axis < len(shape):
        raise ModelError(
            f"{table.source}: {table.what} is quantized along dimension {axis}, but its shape is {list(shape)}"
        )
    raise ModelError(
        f"{table.source}: {table.what} has {scales} scales for {shape[axis]} channels "
        f"(dimension {axis} of {list(shape)}); there must be equally many"
    )


def _check_scales(table: Table, scales: tuple[float, ...]) -> None:
    """Finite and not 0; positive too, except that real files have channels (dead ones) with a negative scale."""
    for scale in scales:
        if not math.isfinite(scale) or scale == 0 or (scale < 0 and len(scales) == 1):
            raise ModelError(f"{table.source}: {table.what} has scale {scale}; scales must be positive and finite")
