# SPDX-License-Identifier: Apache-2.0
"""The SRAM that networks of the zoo may take at most, whoever checks it."""

BARS = {
    "mcunet-vww0": (17, 19),
    "mcunet-vww1": (18, 24),
    "mcunet-vww2": (46, 72),
    "mcunet-in0": (15, 20),
    "mcunet-in1": (21, 34),
    "mcunet-in2": (62, 88),
    "mcunet-in3": (66, 106),
    "mcunet-in4": (85, 126),
    "mbv2-w0.35": (32, 72),
    "proxyless-w0.3": (54, 106),
    "mbv2-1.0": (140, 215),
}
"""kB (1024 bytes) with the input pulled in one pass and with it stored; nothing is computed twice."""
