# SPDX-License-Identifier: Apache-2.0
"""Random operators that move values: PAD, RESHAPE, CONCATENATION, RESIZE, TRANSPOSE, and MEAN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from random_models.builder import GraphBuilder, Spread


def pad(builder: GraphBuilder, data: int, spatial: bool = False) -> int:
    """PAD on any axis but the batch; only on rows and columns where `spatial`."""
    source, shape = builder.source, builder.shape(data)
    amounts = np.zeros((len(shape), 2), np.int32)
    axes = range(1, len(shape) - 1) if spatial else range(1 if len(shape) == 4 else 0, len(shape))
    for axis in axes:
        if spatial or source.chance(0.6):
            amounts[axis] = source.integer(0, 3), source.integer(0, 3)
    after = tuple(int(size + before_after.sum()) for size, before_after in zip(shape, amounts, strict=True))
    paddings = builder.constant(amounts)
    return builder.operator("PAD", (data, paddings), after, builder.quantization_of(data), {}, builder.spreads[data])


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
