# SPDX-License-Identifier: Apache-2.0
"""Prints as JSON what a preprocessed devicetree says of memories and clock. Runs with the workspace's own devicetree.

PYTHONPATH=zephyr/scripts/dts/python-devicetree/src python read_devicetree.py board.dts
"""

import json
import sys

from devicetree.dtlib import DT  # type: ignore[import-not-found]

memories, clock_hz = [], 0
for node in DT(sys.argv[1]).node_iter():
    kinds = node.props["compatible"].to_strings() if "compatible" in node.props else []
    if node.name.startswith(("memory@", "flash@")) and "reg" in node.props:
        address, size = node.props["reg"].to_nums()[:2]
        memories.append({"kinds": kinds, "address": address, "bytes": size})
    if any(kind.startswith("st,stm32") and kind.endswith("-rcc") for kind in kinds):
        clock_hz = node.props["clock-frequency"].to_num()
print(json.dumps({"memories": memories, "clock_hz": clock_hz}))  # noqa: T201
