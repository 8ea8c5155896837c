# SPDX-License-Identifier: Apache-2.0
"""Random operators that move values: PAD, RESHAPE, CONCATENATION, RESIZE, TRANSPOSE, and MEAN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from random_models.builder import GraphBuilder, Spread


def pad(builder: GraphBuilder, data: int, spatial: bool = False, value: bool = False) -> int:
    """PAD on any axis but the batch; only on rows and columns where `spatial`; PADV2 with a random `value`."""
    source, shape = builder.source, builder.shape(data)
    amounts = np.zeros((len(shape), 2), np.int32)
    axes = range(1, len(shape) - 1) if spatial else range(1 if len(shape) == 4 else 0, len(shape))
    for axis in axes:
        if spatial or source.chance(0.6):
            amounts[axis] = source.integer(0, 3), source.integer(0, 3)
    after = tuple(int(size + before_after.sum()) for size, before_after in zip(shape, amounts, strict=True))
    paddings = builder.constant(amounts)
    quantization, spread = builder.quantization_of(data), builder.spreads[data]
    if not value:
        return builder.operator("PAD", (data, paddings), after, quantization, {}, spread)
    filler = builder.constant(np.array([source.integer(-128, 127)], np.int8), quantization)
    return builder.operator("PADV2", (data, paddings, filler), after, quantization, {}, spread)


def expand_dims(builder: GraphBuilder, data: int) -> int:
    shape = builder.shape(data)
    axis = builder.source.integer(0, len(shape))
    after = (*shape[:axis], 1, *shape[axis:])
    written = builder.constant(np.array(axis - len(after) if builder.source.chance(0.5) else axis, np.int32))
    quantization = builder.quantization_of(data)
    return builder.operator("EXPAND_DIMS", (data, written), after, quantization, {}, builder.spreads[data])


def squeeze(builder: GraphBuilder, data: int) -> int:
    """SQUEEZE of some or all axes of size 1."""
    shape = builder.shape(data)
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    chosen = [axis for axis in ones if builder.source.chance(0.6)]
    removed = chosen or ones
    after = tuple(size for axis, size in enumerate(shape) if axis not in removed)
    attributes = {"squeeze_dims": chosen}
    quantization = builder.quantization_of(data)
    return builder.operator("SQUEEZE", (data,), after, quantization, attributes, builder.spreads[data])


def reshape(builder: GraphBuilder, data: int, shape: Sequence[int]) -> int:
    """RESHAPE with the new shape as input, as option, or as both."""
    source = builder.source
    target = [int(size) for size in shape]
    if source.chance(0.3):
        target[source.integer(0, len(target) - 1)] = -1
    as_input = source.chance(0.7)
    inputs = (data, builder.constant(np.array(target, np.int32))) if as_input else (data,)
    attributes = {"new_shape": target} if not as_input or source.chance(0.5) else {}
    return builder.operator(
        "RESHAPE", inputs, tuple(shape), builder.quantization_of(data), attributes, builder.spreads[data]
    )


def reshape_by_shape(builder: GraphBuilder, data: int) -> int:
    """RESHAPE to [batch, rest] with a batch computed by SHAPE, STRIDED_SLICE and PACK, as Keras' Flatten gives it."""
    elements = builder.tensors[data].elements
    shape = builder.operator("SHAPE", (data,), (len(builder.shape(data)),), None, {"out_type": "INT32"}, None, "int32")
    begin, end, step = (builder.constant(np.array([value], np.int32)) for value in (0, 1, 1))
    masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 1}
    batch = builder.operator("STRIDED_SLICE", (shape, begin, end, step), (), None, masks, None, "int32")
    rest = builder.constant(np.array(elements, np.int32))
    target = builder.operator("PACK", (batch, rest), (2,), None, {"values_count": 2, "axis": 0}, None, "int32")
    quantization = builder.quantization_of(data)
    return builder.operator("RESHAPE", (data, target), (1, elements), quantization, {}, builder.spreads[data])


def flat_shapes(builder: GraphBuilder, elements: int) -> tuple[int, ...]:
    """A random shape of rank 1 to 4 (batch 1 where it is 4) with this many elements."""
    divisors = [d for d in range(1, elements + 1) if elements % d == 0]
    first = builder.source.choice(divisors)
    second = builder.source.choice([d for d in divisors if (elements // first) % d == 0])
    rest = elements // first // second
    return builder.source.choice(((1, elements), (1, first, second, rest), (elements,), (first, elements // first)))


def concatenation(builder: GraphBuilder, parts: Sequence[int], axis: int) -> int:
    """CONCATENATION of tensors that differ only along `axis`; the output has the quantization of the first."""
    shapes = [builder.shape(part) for part in parts]
    shape = list(shapes[0])
    shape[axis] = sum(s[axis] for s in shapes)
    written_axis = axis - len(shape) if builder.source.chance(0.5) else axis
    return builder.operator(
        "CONCATENATION",
        tuple(parts),
        tuple(shape),
        builder.quantization_of(parts[0]),
        {"axis": written_axis, "fused_activation_function": "NONE"},
        builder.spreads[parts[0]],
    )


def resize_nearest_neighbor(builder: GraphBuilder, data: int, size: tuple[int, int] | None = None) -> int:
    source = builder.source
    _, height, width, channels = builder.shape(data)
    rows, columns = size or (source.integer(1, 2 * height + 3), source.integer(1, 2 * width + 3))
    align, half = source.choice(((False, False), (True, False), (False, True)))
    return builder.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        (data, builder.constant(np.array([rows, columns], np.int32))),
        (1, rows, columns, channels),
        builder.quantization_of(data),
        {"align_corners": align, "half_pixel_centers": half},
        builder.spreads[data],
    )


def mean(builder: GraphBuilder, data: int, axes: tuple[int, ...] | None = None, keep: bool | None = None) -> int:
    """MEAN over rows and columns, mostly; also over other axes."""
    source, shape = builder.source, builder.shape(data)
    axes = axes or source.choice(((1, 2), (1, 2), (2, 1), (-3, -2), (1,), (2,), (3,), (1, 2, 3)))
    keep = source.chance(0.5) if keep is None else keep
    kept = {axis % len(shape) for axis in axes}
    taps = int(np.prod([shape[axis] for axis in kept]))
    after = tuple(1 if i in kept else size for i, size in enumerate(shape) if keep or i not in kept)
    spread = builder.spreads[data]
    spread = Spread(spread.mean, spread.deviation / taps**0.5)
    same = source.chance(0.3)
    quantization = builder.quantization_of(data) if same else builder.fitted(spread)
    constant = builder.constant(np.array(axes, np.int32))
    return builder.operator("MEAN", (data, constant), after, quantization, {"keep_dims": keep}, spread)


def transpose_without_effect(builder: GraphBuilder, data: int) -> int:
    """A TRANSPOSE that only moves axes of size 1, or none; the batch stays in front."""
    shape = builder.shape(data)
    order = [axis for axis, size in enumerate(shape) if axis == 0 or size != 1]
    for axis, size in enumerate(shape):
        if axis > 0 and size == 1:
            order.insert(builder.source.integer(1, len(order)), axis)
    return transpose(builder, data, tuple(order))


def transpose(builder: GraphBuilder, data: int, order: tuple[int, ...]) -> int:
    shape = tuple(builder.shape(data)[axis] for axis in order)
    constant = builder.constant(np.array(order, np.int32))
    return builder.operator(
        "TRANSPOSE", (data, constant), shape, builder.quantization_of(data), {}, builder.spreads[data]
    )
