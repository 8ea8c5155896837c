# SPDX-License-Identifier: Apache-2.0
"""The ring of features: what it copies are the last rows, oldest first."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kws.kws_build import SOURCES, library


class CRing(ctypes.Structure):
    _fields_ = (
        ("storage", ctypes.c_void_p),
        ("rows", ctypes.c_uint32),
        ("row_bytes", ctypes.c_uint32),
        ("next", ctypes.c_uint32),
    )


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    loaded = library([SOURCES / "feature_ring.c"], tmp_path_factory.mktemp("ring"))
    loaded.feature_ring_next.restype = ctypes.c_void_p
    return loaded


@given(st.integers(1, 7), st.integers(1, 5), st.integers(0, 25), st.integers(0, 2**32 - 1))
def test_the_last_rows_oldest_first(functions: ctypes.CDLL, rows: int, row_bytes: int, count: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-128, 128, (rows + count, row_bytes)).astype(np.int8)
    storage = values[:rows].copy()  # what is there at the start counts as the oldest rows
    guarded = np.full((rows + 2, row_bytes), 77, np.int8)
    ring = CRing()
    functions.feature_ring_start(ctypes.byref(ring), ctypes.c_void_p(storage.ctypes.data), rows, row_bytes)
    for end in range(rows, rows + count + 1):
        target = ctypes.c_void_p(guarded.ctypes.data + row_bytes)
        functions.feature_ring_copy(ctypes.byref(ring), target)
        np.testing.assert_array_equal(guarded[1:-1], values[end - rows : end])
        if end < rows + count:
            ctypes.memmove(functions.feature_ring_next(ctypes.byref(ring)), values[end].tobytes(), row_bytes)
            functions.feature_ring_advance(ctypes.byref(ring))
    assert (guarded[[0, -1]] == 77).all()
