# SPDX-License-Identifier: Apache-2.0
"""Features of sound, computed by the device's own C code: zephyr_module/audio/features.c compiled for this machine."""

from __future__ import annotations

import ctypes
import hashlib
import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.audio.tables import CHANNELS, SAMPLE_RATE, WINDOW
from runnel.build.host_library import build_host_library
from runnel.cache import cache_root
from runnel.errors import BuildError, InputError
from runnel.graph import Quantization, Tensor
from runnel.resources import resource_root

Samples = npt.NDArray[np.int16]
Rows = npt.NDArray[np.int8]

HOP = 320  # samples between two rows
FRAMES = SAMPLE_RATE // HOP - 1  # rows of a model's input: the windows that fit into one second
QUANTIZATION = Quantization((1 / 32,), (-128,))  # of a model's input; RUNNEL_FEATURES_STEPS_PER_UNIT, ..._ZERO_POINT

# Calls the C code for many rows at once: a call through ctypes takes longer than a row.
_LOOP = """
#include "runnel/audio/features.h"
uint32_t runnel_host_state_bytes(void);
void runnel_host_rows(struct runnel_features *features, const int16_t *samples, int8_t *rows, int32_t count);
uint32_t runnel_host_state_bytes(void)
{
	return (uint32_t)sizeof(struct runnel_features);
}
void runnel_host_rows(struct runnel_features *features, const int16_t *samples, int8_t *rows, int32_t count)
{
	for (int32_t i = 0; i < count; ++i) {
		runnel_features_row(features, samples + i * RUNNEL_FEATURES_HOP, rows + i * RUNNEL_FEATURES_CHANNELS);
	}
}
"""


def build_library(path: Path, compiler: str | None = None, flags: Sequence[str] = ("-O3",)) -> None:
    """Compile the front end into the shared library `path`. Raises BuildError when there is no compiler."""
    try:
        build_host_library(
            path, ("audio/features.c",), _LOOP, "compiling the front end", compiler=compiler, flags=flags
        )
    except BuildError as error:
        raise BuildError(
            f"features are computed by the device's C code, which has to be compiled first: {error}"
        ) from error


class FrontEnd:
    """One stream of sound. `library`: one that build_library made; the cached one where it is None."""

    def __init__(self, library: ctypes.CDLL | None = None) -> None:
        self._library = library or _cached_library()
        self._state = ctypes.create_string_buffer(self._library.runnel_host_state_bytes())
        self.reset()

    def reset(self) -> None:
        """Forget all sound: as if silence had come before."""
        self._library.runnel_features_reset(self._state)

    def rows(self, samples: Samples) -> Rows:
        """Feed samples (whole hops) and return a row of CHANNELS features for each hop.

        Raises InputError for anything but a one-dimensional int16 array whose length is a multiple of HOP.
        """
        if samples.dtype != np.int16 or samples.ndim != 1 or len(samples) % HOP:
            shape = "x".join(map(str, samples.shape))
            raise InputError(f"features need int16 samples, a multiple of {HOP} of them; found {shape} {samples.dtype}")
        count = len(samples) // HOP
        rows = np.empty((count, CHANNELS), np.int8)
        source = np.ascontiguousarray(samples)
        pointers: list[Any] = [ctypes.c_void_p(array.ctypes.data) for array in (source, rows)]
        self._library.runnel_host_rows(self._state, *pointers, count)
        return rows


def features(samples: Samples) -> Rows:
    """Rows of a whole clip, only of windows that lie inside it: 49 x 40 for one second.

    The rest of the last hop is left out. Raises InputError when the clip is shorter than one window.
    """
    if len(samples) < WINDOW:
        raise InputError(f"a clip needs at least {WINDOW} samples (30 ms); found {len(samples)}")
    count = (len(samples) - WINDOW) // HOP + 1
    # The window of a row begins 160 samples before its hop, and a stream's first row would see silence there.
    stream = np.concatenate([np.zeros(2 * HOP - WINDOW, np.int16), samples[: (count - 1) * HOP + WINDOW]])
    return FrontEnd().rows(stream)[1:]


def takes_features(edge: Tensor) -> bool:
    """Whether a model's input is the features of one second of sound."""
    shapes = (1, FRAMES, CHANNELS, 1), (1, FRAMES, CHANNELS), (1, FRAMES * CHANNELS)
    return edge.type == "int8" and edge.shape in shapes and edge.quantization == QUANTIZATION


def features_of_clip(samples: Samples) -> Rows:
    """Features of a clip of up to one second as a model's input: its middle, a shorter one between zeros."""
    length = (FRAMES - 1) * HOP + WINDOW
    spare = max(length - len(samples), 0)
    padded = np.pad(samples, (spare // 2, spare - spare // 2))
    first = (len(padded) - length) // 2
    return features(padded[first : first + length])


@cache
def _cached_library() -> ctypes.CDLL:
    root = resource_root() / "zephyr_module"
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {_LOOP}".encode())
    for file in ("audio/features.c", "audio/features_tables.h", "include/runnel/audio/features.h"):
        digest.update((root / file).read_bytes())
    path = cache_root() / "audio" / f"features-{digest.hexdigest()[:16]}.so"
    if not path.exists():
        build_library(path)
    return load_library(path)


def load_library(path: Path) -> ctypes.CDLL:
    """Load what build_library made."""
    library = ctypes.CDLL(str(path))
    library.runnel_features_reset.argtypes = [ctypes.c_void_p]
    library.runnel_features_reset.restype = None
    library.runnel_host_rows.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    library.runnel_host_rows.restype = None
    library.runnel_host_state_bytes.restype = ctypes.c_uint32
    return library
