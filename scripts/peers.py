# SPDX-License-Identifier: Apache-2.0
"""Figures of other engines for the same model files, to print beside ours.

Measured in November 2026 in the same way as ours: executed instructions of one inference on QEMU (mps2-an386 for the
Cortex-M4, mps2-an500 for the M7); RAM is everything the inference needs but the stack; flash is the whole image with
about 1 kB of harness. TinyEngine has a bit-exact setting and a faster default that is not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peers:
    """One model. Instructions in millions, bytes otherwise; None where an engine rejects the model."""

    tflm_reference_m4: float
    cmsis_nn_m4: float
    cmsis_nn_ram: int
    tinyengine_exact_m7: float | None = None
    tinyengine_default_m7: float | None = None
    tinyengine_ram: int | None = None
    tinyengine_exact_flash: int | None = None
    tinyengine_default_flash: int | None = None


# By the stem of the model's file.
PEERS: dict[str, Peers] = {
    "mcunet-vww0": Peers(114.2, 24.39, 165_508, 22.85, 18.20, 60_800, 462_624, 440_512),
    "mcunet-vww1": Peers(212.3, 45.22, 224_580, 42.69, 34.53, 93_992, 538_504, 512_432),
    "mcunet-vww2": Peers(1026.8, 225.6, 397_348, 194.5, 161.1, 177_704, 779_848, 740_944),
    "mcunet-in0": Peers(95.1, 24.23, 158_948, 21.73, 18.04, 50_064, 870_368, 838_184),
    "mcunet-in1": Peers(202.8, 47.15, 218_548, 45.34, 36.74, 98_024, 748_984, 718_704),
    "mcunet-in2": Peers(1339, 305.0, 478_756, 234.9, 195.7, 219_776, 866_208, 829_496),
    "mcunet-in3": Peers(1605, 369.0, 503_396, 280.7, 235.4, 266_344, 873_640, 837_136),
    "mcunet-in4": Peers(1887, 421.6, 771_940, 360.3, 309.9, 426_120, 1_897_096, 1_848_880),
    "mbv2-w0.35": Peers(431.3, 91.15, 579_892, 98.95, 76.22, 302_120, 856_504, 824_712),
    "proxyless-w0.3": Peers(711.3, 173.2, 455_796, 144.1, 117.4, 265_600, 865_360, 836_544),
    "mlperf_vww_96_int8": Peers(100.3, 22.61, 100_708),
    "mlperf_kws_ref_model": Peers(43.0, 7.228, 22_820),
    "mlperf_ic_resnet8": Peers(107.4, 28.51, 54_996),
    "mlperf_ad": Peers(1.95, 0.573, 3_024),
    "tflm_person_detect": Peers(95.7, 21.43, 82_308),
}


# Peak RAM of X-CUBE-AI 7.3 as MCUNet's authors published it, kB.
CUBE_AI_KB: dict[str, int] = {
    "mcunet-vww0": 88,
    "mcunet-vww1": 113,
    "mcunet-vww2": 201,
    "mcunet-in0": 69,
    "mcunet-in1": 106,
    "mcunet-in2": 238,
    "mcunet-in3": 243,
    "mcunet-in4": 342,
    "proxyless-w0.3": 221,
}

# What papers say that patches and streaming need: (model, whose, kB, extra MACs in percent; None where not stated).
# msf-CNN leaves out the network's input and output, residuals and scratch.
PUBLISHED: tuple[tuple[str, str, float, int | None], ...] = (
    ("mcunet-vww1", "msf-CNN", 45, 2),
    ("mcunet-vww1", "msf-CNN", 26, 11),
    ("mcunet-vww1", "msf-CNN", 15, 96),
    ("mcunet-in3", "msf-CNN", 94, 45),
    ("mcunet-in3", "msf-CNN", 51, 169),
    ("mbv2-w0.35", "StreamNet", 66, None),
    ("mbv2-w0.35", "msf-CNN", 83, 2),
    ("mbv2-w0.35", "msf-CNN", 26, 25),
    ("mbv2-w0.35", "msf-CNN", 8.6, 68),
    ("mbv2-1.0", "MCUNetV2", 172, 10),
)
