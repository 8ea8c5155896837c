# SPDX-License-Identifier: Apache-2.0
"""Architecture -> Graph whose constants take no memory: shapes and operators only.

In one of two forms. "file": as the published .tflite files have it, PAD before a convolution of stride 2 and SAME for
the others. "passes": as the passes leave it, padding explicit; what schedulers read. Built for speed: a search asks for
thousands of networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.zoo.architecture import IMAGE_CHANNELS, Architecture, Block, ZooError

Form = Literal["file", "passes"]

IMAGE = Quantization((float(np.float32(2 / 255)),), (0,))  # colours from -1 to 1
RELU6 = Quantization((float(np.float32(6 / 255)),), (-128,))
LINEAR = Quantization((float(np.float32(0.05)),), (0,))  # until weights.py measures the range
WEIGHTS = Quantization((float(np.float32(0.01)),), (0,))
BIAS = Quantization((float(np.float32(0.0005)),), (0,))
_ADD: Mapping[str, Any] = {"fused_activation_function": "NONE", "pot_scale_int16": False}
_INT8, _INT32 = np.int8(0), np.int32(0)
_COLOURS: Mapping[str, Any] = {"mean": [127.5], "std": [127.5], "colour_order": "RGB"}  # what IMAGE stands for


class GraphBuilder:
    """Collects tensors and operators; every method that adds an operator returns the tensor it makes."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        quantization: Quantization | None,
        data: npt.NDArray[Any] | None = None,
    ) -> Tensor:
        number = len(self.tensors)
        type_name = "int8" if data is None else data.dtype.name
        made = self.tensors[number] = Tensor(number, name, shape, type_name, quantization, data)
        return made

    def operator(
        self,
        kind: str,
        name: str,
        inputs: tuple[Tensor, ...],
        shape: tuple[int, ...],
        quantization: Quantization,
        attributes: Mapping[str, Any],
    ) -> Tensor:
        output = self.tensor(name, shape, quantization)
        numbers = tuple(tensor.index for tensor in inputs)
        self.operators.append(Operator(len(self.operators), kind, numbers, (output.index,), attributes))
        return output

    def convolution(
        self,
        name: str,
        data: Tensor,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        clamp: bool = True,
    ) -> Tensor:
        """CONV_2D or DEPTHWISE_CONV_2D padded by kernel // 2 on every side, ReLU6 fused where `clamp` is set."""
        pad = kernel // 2
        _, height, width, inputs = data.shape
        rows, columns = (height + 2 * pad - kernel) // stride + 1, (width + 2 * pad - kernel) // stride + 1
        if min(rows, columns) < 1:
            raise ZooError(f"{name}: no {kernel}x{kernel} window fits a map of {height}x{width}; give a larger image")
        attributes = self._window(stride, clamp, pad)
        if depthwise:
            attributes["depth_multiplier"] = 1
        if self.form == "file" and pad and stride > 1:
            data = self._padded(name, data, pad)
        shape = (1, kernel, kernel, channels) if depthwise else (channels, kernel, kernel, inputs)
        weights = self.tensor(f"{name}/weights", shape, WEIGHTS, np.broadcast_to(_INT8, shape))
        bias = self.tensor(f"{name}/bias", (channels,), BIAS, np.broadcast_to(_INT32, (channels,)))
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        output = RELU6 if clamp else LINEAR
        return self.operator(kind, name, (data, weights, bias), (1, rows, columns, channels), output, attributes)

    def _window(self, stride: int, clamp: bool, pad: int) -> dict[str, Any]:
        attributes = {
            "padding": "SAME" if pad and stride == 1 else "VALID",
            "stride_h": stride,
            "stride_w": stride,
            "dilation_h_factor": 1,
            "dilation_w_factor": 1,
            "fused_activation_function": "RELU6" if clamp else "NONE",
        }
        if self.form == "passes":
            _explicit(attributes, pad)
        return attributes

    def _padded(self, name: str, data: Tensor, pad: int) -> Tensor:
        sides = np.array([[0, 0], [pad, pad], [pad, pad], [0, 0]], np.int32)
        amounts = self.tensor(f"{name}/padding", (4, 2), None, sides)
        _, height, width, channels = data.shape
        shape = (1, height + 2 * pad, width + 2 * pad, channels)
        return self.operator("PAD", f"{name}/pad", (data, amounts), shape, data.quantization or LINEAR, {})

    def add(self, name: str, first: Tensor, second: Tensor) -> Tensor:
        return self.operator("ADD", name, (first, second), second.shape, LINEAR, _ADD)

    def block(self, name: str, data: Tensor, block: Block) -> Tensor:
        inner = data
        if block.expanded != data.shape[3]:
            inner = self.convolution(f"{name}/expand", inner, block.expanded)
        inner = self.convolution(f"{name}/depthwise", inner, block.expanded, block.kernel, block.stride, depthwise=True)
        inner = self.convolution(f"{name}/project", inner, block.channels, clamp=False)
        same = block.stride == 1 and block.channels == data.shape[3]
        return self.add(f"{name}/add", data, inner) if same else inner

    def global_pool(self, data: Tensor) -> Tensor:
        _, height, width, channels = data.shape
        attributes = {
            "padding": "VALID",
            "stride_h": height,
            "stride_w": width,
            "filter_height": height,
            "filter_width": width,
            "fused_activation_function": "NONE",
        }
        if self.form == "passes":
            _explicit(attributes, 0)
        shape = (1, 1, 1, channels)
        return self.operator("AVERAGE_POOL_2D", "pool", (data,), shape, data.quantization or LINEAR, attributes)

    def classifier(self, data: Tensor, classes: int) -> Tensor:
        """A 1x1 convolution of the pooled pixel and a RESHAPE to (1, classes)."""
        scores = self.convolution("classifier", data, classes, clamp=False)
        shape = self.tensor("scores/shape", (2,), None, np.array([1, classes], np.int32))
        attributes = {"new_shape": (1, classes)}
        return self.operator("RESHAPE", "scores", (scores, shape), (1, classes), LINEAR, attributes)


def _explicit(attributes: dict[str, Any], pad: int) -> None:
    attributes["padding"] = "EXPLICIT"
    for side in ("pad_top", "pad_bottom", "pad_left", "pad_right"):
        attributes[side] = pad


def network_of(architecture: Architecture, form: Form) -> Graph:
    """The architecture with constants that are all zero and take no memory. Raises ZooError."""
    builder = GraphBuilder(form)
    image = builder.tensor("image", (1, architecture.height, architecture.width, IMAGE_CHANNELS), IMAGE)
    stem = architecture.stem_channels
    data = builder.convolution("stem", image, stem, architecture.stem_kernel, architecture.stem_stride)
    for number, block in enumerate(architecture.blocks):
        data = builder.block(f"block{number}", data, block)
    if architecture.head is not None:
        data = builder.convolution("head", data, architecture.head)
    scores = builder.classifier(builder.global_pool(data), architecture.classes)
    return Graph(
        name=architecture.name,
        tensors=builder.tensors,
        operators=tuple(builder.operators),
        inputs=(image.index,),
        outputs=(scores.index,),
        metadata=_COLOURS,
        source=f"zoo: {architecture.name}",
    )
