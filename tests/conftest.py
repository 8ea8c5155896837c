# SPDX-License-Identifier: Apache-2.0
"""What all tests share: the switch to full counts, the seed, and the data that lies beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from console import Console

ROOT = Path(__file__).resolve().parent.parent
TESTDATA = ROOT.parent / "shared" / "testdata"
MODELS = (
    "mcunet-in3",
    "mcunet-vww1",
    "mlperf_kws_ref_model",
    "mlperf_vww_96_int8",
    "tflm_hello_world_int8",
    "tflm_micro_speech_quantized",
    "tflm_person_detect",
    "wv_cezar",
    "wv_mcunet-5fps_vww",
    "wv_ymac",
)

# A slow case is no failure: tests share the machine. The same cases every time, unless a seed is asked for.
settings.register_profile("runnel", deadline=None, derandomize="RUNNEL_SEED" not in os.environ)
settings.load_profile("runnel")


@pytest.fixture(scope="session")
def full() -> bool:
    """True when the counts of the bars are asked for: ./scripts/test --full sets RUNNEL_FULL=1."""
    return os.environ.get("RUNNEL_FULL") == "1"


@pytest.fixture(scope="session")
def seed() -> int:
    """RUNNEL_SEED, 0 unless it is set. Every random test prints or derives all from it."""
    return int(os.environ.get("RUNNEL_SEED", "0"))


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder with real models, images and sounds; tests that need it are skipped where it is absent."""
    if not TESTDATA.is_dir():
        pytest.skip(f"no test data: {TESTDATA} is absent (real models are kept beside the repository, not in it)")
    return TESTDATA


@pytest.fixture(scope="session")
def tflm() -> None:
    """Skips where TensorFlow Lite Micro is not installed."""
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed: pip install 'runnel[oracle]'")


@pytest.fixture
def console(capsys: pytest.CaptureFixture[str]) -> Console:
    """Runs command lines and gives exit code, output and errors."""
    return Console(capsys)
