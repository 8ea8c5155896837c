# SPDX-License-Identifier: Apache-2.0
"""Networks that everybody measures, built here: the published MCUNet models, MobileNetV2 and a variant of it.

`build` gives one with random weights, as its .tflite file would read; `network` gives one as schedulers want it, with
padding explicit and weights that take no memory.
"""

from __future__ import annotations

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.zoo.architecture import Architecture, Block, ZooError, architecture, architectures
from runnel.zoo.builder import network_of
from runnel.zoo.weights import with_random_weights


def build(
    name: str | Architecture,
    seed: int = 0,
    height: int | None = None,
    width: int | None = None,
    classes: int | None = None,
) -> Graph:
    """The network with random weights, in the form of a .tflite file: int8, PAD before convolutions of stride 2.

    height, width: of the image in pixels, the published ones where None. Raises ZooError.
    """
    graph = network_of(_resized(name, height, width, classes), "file")
    return with_random_weights(graph, seed)


def network(
    name: str | Architecture, height: int | None = None, width: int | None = None, classes: int | None = None
) -> Graph:
    """The network as the passes leave it, weights all zero and without memory: made in about a millisecond.

    Good for scheduling and for counting; not for numbers. Raises ZooError.
    """
    return network_of(_resized(name, height, width, classes), "passes")


def names() -> tuple[str, ...]:
    """All networks of the zoo."""
    return tuple(architectures())


def macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference."""
    return sum(operator_type(operator.kind).macs(graph, operator) for operator in graph.operators)


def parameters(graph: Graph) -> int:
    """As the authors count: weights, two a channel for the batch norm of a convolution, the bias of the last one."""
    weighted = [operator for operator in graph.operators if operator_type(operator.kind).has_weights]
    weights = sum(graph.tensor(operator.inputs[1]).elements for operator in weighted)
    channels = [graph.tensor(operator.inputs[2]).elements for operator in weighted]
    return weights + 2 * sum(channels[:-1]) + channels[-1]


def _resized(name: str | Architecture, height: int | None, width: int | None, classes: int | None) -> Architecture:
    found = architecture(name) if isinstance(name, str) else name
    return found.resized(height, width, classes)


__all__ = [
    "Architecture",
    "Block",
    "ZooError",
    "architecture",
    "architectures",
    "build",
    "macs",
    "names",
    "network",
    "parameters",
]
