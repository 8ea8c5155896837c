# SPDX-License-Identifier: Apache-2.0
"""Folds PAD into the padding of the convolutions that read it, and removes PAD that pads nothing.

A padded row of zero points is what a convolution's own padding reads, so the result is the same. Never into pooling:
an average pool counts PAD's zeros but not its own padding.
"""

from __future__ import annotations

from runnel.graph import Graph, Operator
from runnel.passes.explicit_padding import CONVOLUTIONS, kernel_size, with_padding
from runnel.passes.rewrite import integer_constant, replaced_input, same_values, with_operators, writer_of

_Sides = tuple[int, int, int, int]  # top, bottom, left, right


def run(graph: Graph) -> Graph:
    """Needs explicit_padding before it and remove_dead after it (a PAD that nobody reads any more stays)."""
    pads = {
        output: (operator, sides)
        for output, operator in writer_of(graph).items()
        if operator.kind in ("PAD", "PADV2") and (sides := _sides(graph, operator)) is not None
    }
    return with_operators(graph, [_folded(graph, operator, pads) for operator in graph.operators])


def _folded(graph: Graph, operator: Operator, pads: dict[int, tuple[Operator, _Sides]]) -> Operator:
    for index in set(operator.inputs):
        while index is not None and index in pads:
            pad, sides = pads[index]
            source = pad.inputs[0]
            assert source is not None
            if any(sides):
                if index != operator.inputs[0] or not _accepts(graph, operator, sides):
                    break
                operator = with_padding(operator, *(a + b for a, b in zip(sides, _own(operator), strict=True)))
            operator = replaced_input(operator, index, source)
            index = source
    return operator


def _own(operator: Operator) -> _Sides:
    attributes = operator.attributes
    return attributes["pad_top"], attributes["pad_bottom"], attributes["pad_left"], attributes["pad_right"]


def _accepts(graph: Graph, operator: Operator, sides: _Sides) -> bool:
    """A convolution with explicit padding, where each window still touches the input."""
    if operator.kind not in CONVOLUTIONS or operator.attributes["padding"] != "EXPLICIT":
        return False
    kernel = kernel_size(graph, operator)
    if kernel is None:
        return False
    rows: int = (kernel[0] - 1) * operator.attributes.get("dilation_h_factor", 1)
    columns: int = (kernel[1] - 1) * operator.attributes.get("dilation_w_factor", 1)
    top, bottom, left, right = (a + b for a, b in zip(sides, _own(operator), strict=True))
    return max(top, bottom) <= rows and max(left, right) <= columns


def _sides(graph: Graph, pad: Operator) -> _Sides | None:
    """Rows and columns that `pad` adds; None where it adds anything else, or other values than the zero point."""
    data, output = graph.tensor(pad.inputs[0]), graph.tensors[pad.outputs[0]]
    amounts = integer_constant(graph.tensor(pad.inputs[1]))
    if amounts is None or len(amounts) != 2 * len(data.shape) or min(amounts, default=0) < 0:
        return None
    if data.type != output.type or not same_values(data.quantization, output.quantization):
        return None
    if any(amounts) and not (len(data.shape) == 4 and _pads_with_zero(graph, pad)):
        return None
    padded = tuple(size + amounts[2 * i] + amounts[2 * i + 1] for i, size in enumerate(data.shape))
    if padded != output.shape:
        return None
    if not any(amounts):
        return 0, 0, 0, 0
    outside = (*amounts[:2], *amounts[6:])
    return None if any(outside) else (amounts[2], amounts[3], amounts[4], amounts[5])


def _pads_with_zero(graph: Graph, pad: Operator) -> bool:
    output = graph.tensors[pad.outputs[0]]
    if output.type != "int8" or output.quantization is None:
        return False
    if pad.kind == "PAD":
        return True
    value = graph.tensor(pad.inputs[2])
    # The stored number counts; TensorFlow Lite Micro demands that its scale and zero point are the output's.
    if value.data is None or value.type != "int8" or not same_values(value.quantization, output.quantization):
        return False
    return bool((value.data == output.quantization.zero_point).all()) and value.elements == 1
