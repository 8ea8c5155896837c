# SPDX-License-Identifier: Apache-2.0
"""From a net to an int8 file: folding, ranges, scales, and what TensorFlow Lite Micro must compute."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'runnel[search]'")

from runnel.graph import Graph, Operator, Tensor  # noqa: E402
from runnel.run.oracle import litert_oracle, tflm_oracle  # noqa: E402
from runnel.tflite.writer import write_tflite  # noqa: E402
from runnel.train.data import Floats, unit_range  # noqa: E402
from runnel.train.evaluate import int8_input  # noqa: E402
from runnel.train.export import float_graph  # noqa: E402
from runnel.train.interpret import interpret  # noqa: E402
from runnel.train.loop import logits_of  # noqa: E402
from runnel.train.net import Architecture, Block, ConvUnit, Net, same_padding  # noqa: E402
from runnel.train.quantize import (  # noqa: E402
    PIXELS,
    PROBABILITIES,
    activation_quantization,
    calibrate,
    quantize,
    weight_scales,
)

TINY = Architecture(12, 8, (Block(8, 8), Block(8, 16), Block(12, 24, stride=2)), 16)
Integers = npt.NDArray[np.int64]


def trained_like_net() -> Net:
    """A net whose batch norms look as after training."""
    torch.manual_seed(4)
    net = Net(TINY)
    for module in net.modules():
        if isinstance(module, ConvUnit):
            norm = module.norm
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.uniform_(norm.bias, -0.3, 0.6)
            torch.nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(norm.running_var, 0.05, 0.4)
    return net.eval()


def photos(count: int = 6) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(8).integers(0, 256, (count, 12, 12, 3)).astype(np.uint8)


def int8_graph() -> tuple[Net, Graph, Graph]:
    net = trained_like_net()
    graph = float_graph(net, "tiny", {"labels": ["a", "b"]})
    return net, graph, quantize(graph, calibrate(graph, unit_range(photos())), {graph.inputs[0]: PIXELS})


def test_the_float_graph_computes_what_the_net_computes() -> None:
    net, graph, _ = int8_graph()
    logits = torch.from_numpy(logits_of(net, photos(), unit_range))
    expected = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(interpret(graph, unit_range(photos())), expected, atol=2e-6)
    assert {o.kind for o in graph.operators} == {
        "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED", "SOFTMAX",
    }  # fmt: skip


@pytest.mark.parametrize("low, high", [(0.0, 6.0), (-3.2, 1.7), (0.5, 2.0), (-2.0, -0.1), (0.0, 0.0)])
def test_activation_ranges_cover_the_values_and_hit_zero(low: float, high: float) -> None:
    quantization = activation_quantization(low, high)
    scale, zero = quantization.scale, quantization.zero_point
    assert -128 <= zero <= 127 and scale > 0 and float(np.float32(scale)) == scale
    assert (-128 - zero) * scale <= min(low, 0) + scale / 2 and (127 - zero) * scale >= max(high, 0) - scale / 2


def test_a_channel_of_zeros_keeps_its_bias() -> None:
    weight = np.ones((2, 1, 1, 3), np.float32)
    weight[1] = 0
    bias = np.array([0.5, 3.0], np.float32)
    scales = weight_scales(weight, bias, 0, 0.1)
    assert scales[0] == pytest.approx(1 / 127)
    assert 2**29 < bias[1] / (scales[1] * 0.1) <= 2**30
    assert weight_scales(weight, bias, None, 0.1).shape == (1,)


def test_edges_are_pixels_minus_128_and_probabilities() -> None:
    _, _, graph = int8_graph()
    assert graph.tensor(graph.inputs[0]).quantization == PIXELS
    assert graph.tensor(graph.outputs[0]).quantization == PROBABILITIES
    pixels = np.arange(256, dtype=np.uint8)
    by_definition = np.rint(pixels / np.float32(255) / np.float32(PIXELS.scale)) + PIXELS.zero_point
    np.testing.assert_array_equal(int8_input(pixels), by_definition)


def doubling_high_multiply(value: Integers, multiplier: int) -> Integers:
    """gemmlowp's SaturatingRoundingDoublingHighMul."""
    return (value * multiplier + (1 << 30)) >> 31


def divide_by_power_of_two(value: Integers, exponent: int) -> Integers:
    """gemmlowp's RoundingDivideByPOT: halves away from zero."""
    if exponent == 0:
        return value
    return (value + (value >> 63) + (1 << (exponent - 1))) >> exponent


def requantize(value: Integers, real: float) -> Integers:
    mantissa, shift = math.frexp(real)
    fixed = int(math.floor(mantissa * 2**31 + 0.5))
    if fixed == 2**31:
        fixed, shift = fixed // 2, shift + 1
    return divide_by_power_of_two(doubling_high_multiply(value << max(shift, 0), fixed), max(-shift, 0))


def clamp(value: Integers, operator: Operator, output: Tensor) -> Integers:
    assert output.quantization is not None
    zero = output.quantization.zero_point
    low, high = -128, 127
    if operator.attributes["fused_activation_function"] == "RELU6":
        low, high = max(low, zero), min(high, zero + round(6 / output.quantization.scale))
    return np.clip(value + zero, low, high)


def convolve(graph: Graph, operator: Operator, x: Integers) -> Integers:
    """CONV_2D and DEPTHWISE_CONV_2D in integers, from TFLite's specification."""
    source, weight, bias = (graph.tensor(i) for i in operator.inputs)
    output = graph.tensor(operator.outputs[0])
    assert source.quantization and weight.quantization and output.quantization
    assert weight.data is not None and bias.data is not None
    stride = operator.attributes["stride_h"]
    size = source.shape[1]
    kernel, count = weight.shape[1], output.shape[1]
    before, after = same_padding(size, kernel, stride)
    padded = np.pad(x - source.quantization.zero_point, ((before, after), (before, after), (0, 0)))
    result = np.zeros(output.shape[1:], np.int64)
    for i in range(kernel):
        for j in range(kernel):
            part = padded[i : i + stride * count : stride, j : j + stride * count : stride][:count, :count]
            taps = weight.data[:, i, j].astype(np.int64)
            result += part * taps[0] if operator.kind == "DEPTHWISE_CONV_2D" else part @ taps.T
    result += bias.data
    for channel, scale in enumerate(weight.quantization.scales):
        real = source.quantization.scale * scale / output.quantization.scale
        result[..., channel] = requantize(result[..., channel], real)
    return clamp(result, operator, output)


def add(graph: Graph, operator: Operator, first: Integers, second: Integers) -> Integers:
    """ADD in integers: both inputs on one scale with 20 more bits, then back."""
    quantizations = [graph.tensor(i).quantization for i in (*operator.inputs, *operator.outputs)]
    one, other, out = (q for q in quantizations if q is not None)
    twice = 2 * max(one.scale, other.scale)
    total = requantize((first - one.zero_point) << 20, one.scale / twice)
    total = total + requantize((second - other.zero_point) << 20, other.scale / twice)
    return clamp(requantize(total, twice / (2**20 * out.scale)), operator, graph.tensor(operator.outputs[0]))


@pytest.mark.usefixtures("tflm")
def test_tflite_micro_computes_the_integers_we_expect() -> None:
    """Every convolution and addition, checked one by one on the values that TFLM itself gave to its inputs."""
    _, _, graph = int8_graph()
    layers = [o for o in graph.operators if o.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD")]
    outputs = tuple(o.outputs[0] for o in layers)
    model = write_tflite(graph.replace(outputs=outputs))
    image = int8_input(photos(1))
    ((*got,),) = tflm_oracle(model).run([[image]])
    values = {graph.inputs[0]: image, **dict(zip(outputs, got, strict=True))}
    for operator in layers:
        sources = [values[i][0].astype(np.int64) for i in operator.inputs if i in values]
        expected = add(graph, operator, *sources) if operator.kind == "ADD" else convolve(graph, operator, *sources)
        np.testing.assert_array_equal(values[operator.outputs[0]][0], expected, err_msg=operator.label)
        assert len(np.unique(expected)) > 4, f"{operator.label} says nothing"


@pytest.mark.usefixtures("tflm")
def test_int8_is_close_to_float_and_both_interpreters_agree() -> None:
    _, float_form, graph = int8_graph()
    model = write_tflite(graph)
    inputs = [[image[None]] for image in int8_input(photos())]
    micro = np.concatenate([outputs[0] for outputs in tflm_oracle(model).run(inputs)])
    reference = np.concatenate([outputs[0] for outputs in litert_oracle(model).run(inputs)])
    np.testing.assert_allclose(micro, reference, atol=1)  # LiteRT rounds FULLY_CONNECTED once instead of twice
    expected: Floats = interpret(float_form, unit_range(photos()))
    np.testing.assert_allclose((micro.astype(np.float32) + 128) / 256, expected, atol=0.06)
