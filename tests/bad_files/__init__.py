# SPDX-License-Identifier: Apache-2.0
"""Model files that lie: built field by field, or damaged byte by byte."""

from bad_files.build import Fields, convolution_file, operator, quantization, serialise, tensor
from bad_files.damage import damaged
from bad_files.lies import lying_file, sound_graph

__all__ = [
    "Fields",
    "convolution_file",
    "damaged",
    "lying_file",
    "operator",
    "quantization",
    "serialise",
    "sound_graph",
    "tensor",
]
