# SPDX-License-Identifier: Apache-2.0
"""The device's own word detector, zephyr_module/audio/word_detector.c, compiled for this machine."""

from __future__ import annotations

import ctypes
from dataclasses import astuple, dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.audio.front_end import HOP
from runnel.audio.tables import SAMPLE_RATE
from runnel.build.host_library import build_host_library
from runnel.cache import cache_root
from runnel.errors import InputError
from runnel.kws.scoring import Heard
from runnel.resources import resource_root

Scores = npt.NDArray[np.int8]
"""One row an output: the classes' probabilities, scale 1/256, zero point -128."""

FIRST_WORD = 2
ONE = 256

_LOOP = """
#include <stddef.h>
#include "runnel/audio/word_detector.h"
typedef const struct runnel_word_detector_config *settings;
int32_t runnel_host_detect(settings, const int8_t *, uint32_t, uint64_t, struct runnel_word_detection *);
int32_t runnel_host_detect(settings config, const int8_t *scores, uint32_t count, uint64_t stride,
	struct runnel_word_detection *found)
{
	struct runnel_word_detector detector;
	const int result = runnel_word_detector_start(&detector, config);
	int32_t detections = 0;
	if (result != RUNNEL_WORD_DETECTOR_OK) {
		return result;
	}
	for (uint32_t i = 0; i < count; ++i) {
		const int8_t *row = scores + (size_t)i * config->classes;
		detections += runnel_word_detector_take(&detector, row, (i + 1) * stride, &found[detections]) ? 1 : 0;
	}
	return detections;
}
"""


@dataclass(frozen=True)
class Settings:
    """As they are set when the app is built (apps/kws/Kconfig): rows, outputs, percent, milliseconds."""

    stride_rows: int
    average: int
    threshold_percent: int
    consecutive: int
    release_percent: int
    refractory_ms: int

    def defines(self) -> tuple[str, ...]:
        """NAME=VALUE for a build of apps/kws without Zephyr."""
        return tuple(f"KWS_{name.upper()}={value}" for name, value in vars(self).items())


class _Config(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("classes", "first_word", "average", "threshold", "consecutive", "release", "refractory_samples")
    )


class _Detection(ctypes.Structure):
    _fields_ = (("word", ctypes.c_uint32), ("score", ctypes.c_uint32), ("sample", ctypes.c_uint64))


def detect(scores: Scores, settings: Settings) -> list[Heard]:
    """What the app hears when its model has these outputs, one every `stride_rows`, the first after the first stride.

    Raises InputError for settings that the detector does not take.
    """
    count, classes = scores.shape
    release = min(settings.release_percent, settings.threshold_percent)
    config = _Config(
        classes=classes,
        first_word=FIRST_WORD,
        average=settings.average,
        threshold=settings.threshold_percent * ONE // 100,
        consecutive=settings.consecutive,
        release=release * ONE // 100,
        refractory_samples=settings.refractory_ms * SAMPLE_RATE // 1000,
    )
    found = (_Detection * max(count, 1))()
    rows = np.ascontiguousarray(scores)
    stride = settings.stride_rows * HOP
    result = _library().runnel_host_detect(
        ctypes.byref(config), ctypes.c_void_p(rows.ctypes.data), count, stride, found
    )
    if result < 0:
        raise InputError(f"the word detector does not take {astuple(settings)} (error {result})")
    return [Heard(int(d.word), int(d.sample)) for d in found[:result]]


@cache
def _library() -> ctypes.CDLL:
    module = resource_root() / "zephyr_module"
    sources = (module / "audio/word_detector.c", module / "include/runnel/audio/word_detector.h")
    digest = sha256(_LOOP.encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    path = cache_root() / "audio" / f"word_detector-{digest}.so"
    if not path.exists():
        build_host_library(path, ("audio/word_detector.c",), _LOOP, "compiling the word detector", flags=("-O2",))
    library: Any = ctypes.CDLL(str(path))
    library.runnel_host_detect.argtypes = [
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p,
    ]  # fmt: skip
    return library  # type: ignore[no-any-return]
