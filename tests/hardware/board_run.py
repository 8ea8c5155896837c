# SPDX-License-Identifier: Apache-2.0
"""One model on one board: built, run over the serial port, compared with the oracle; and the record of figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runnel.boards import load_board
from runnel.build import BuildOptions, build_firmware
from runnel.build.from_plan import harness_model
from runnel.compiler import Options, load_model, plan_model, write_sources
from runnel.reference import selftest_crc
from runnel.run import RunResult, run_firmware
from runnel.run.energy import Energy
from runnel.run.inputs import random_inputs
from runnel.run.oracle import tflm_oracle

ROOT = Path(__file__).resolve().parents[2]
_GUARD_BYTES = 64


@dataclass
class Record:
    """Figures by model, as they go into the JSON file."""

    board: str
    port: str | None
    path: Path
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock_hz: int | None = None

    def load(self) -> None:
        """What an earlier run wrote. Raises FileNotFoundError when there was none."""
        data = json.loads(self.path.read_text(encoding="utf-8"))
        self.models, self.clock_hz, self.port = data["models"], data["clock_hz"], data["port"]

    def save(self) -> None:
        if not self.models:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {"board": self.board, "port": self.port, "clock_hz": self.clock_hz, "models": self.models}, indent=2
        )
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self.path)

    def seconds(self) -> list[tuple[str, list[float]]]:
        """Models in the order they ran with the duration of each inference; empty where no cycles were counted."""
        if not self.clock_hz:
            return []
        return [(n, [c / self.clock_hz for c in m["cycles"]]) for n, m in self.models.items() if m["cycles"]]

    def table(self) -> list[str]:
        clock = f"{self.clock_hz / 1e6:g} MHz" if self.clock_hz else "unknown clock"
        lines = [
            f"core at {clock}",
            f"{'model':<28}{'cycles':>14}{'per MAC':>9}{'ms':>10}{'mJ':>9}{'stack':>8}  output",
        ]
        for name, model in self.models.items():
            cycles, energy = model["cycles"], model.get("millijoules")
            worst = max(cycles) if cycles else None
            cells = (
                f"{worst:>14,}{worst / model['macs']:>9.2f}{1000 * worst / (self.clock_hz or 1):>10.2f}"
                if worst
                else f"{'–':>14}{'–':>9}{'–':>10}"
            )
            joules = f"{max(energy):>9.3f}" if energy else f"{'–':>9}"
            verdict = "exact" if model["mismatches"] == 0 else f"{model['mismatches']} bytes differ"
            lines.append(f"{name:<28}{cells}{joules}{model['stack_bytes']:>8}  {verdict}")
        return lines

    def add(self, name: str, result: RunResult, macs: int, mismatches: int) -> None:
        """Each model once: a name that comes twice would hide the figures of the first."""
        assert name not in self.models, f"two models are called {name}"
        self.clock_hz = result.clock_hz
        self.models[name] = {
            "cycles": list(result.cycles or ()),
            "macs": macs,
            "stack_bytes": result.stack_bytes,
            "mismatches": mismatches,
            "guard_intact": result.guard_intact,
            "selftest_passed": result.selftest_passed,
        }

    def add_energy(self, energy: dict[str, tuple[Energy, ...]]) -> None:
        for name, inferences in energy.items():
            self.models[name]["millijoules"] = [e.millijoules for e in inferences]


@dataclass(frozen=True)
class Settings:
    """How to reach the board, and how many inputs from which seed."""

    board: str
    port: str
    may_flash: bool
    inferences: int
    seed: int


def run_on_board(model: Path, settings: Settings, folder: Path) -> tuple[RunResult, int, int]:
    """The result of seeded inputs, the model's MACs, and how many bytes of output differ from TFLM's."""
    board = load_board(settings.board)
    options = Options()
    name = model.stem.replace("-", "_")
    plan = plan_model(load_model(model, options), board, options, name)
    sources = folder / "sources"
    sources.mkdir()
    write_sources(plan, sources, selftest_crc(plan.schedule.graph, plan.schedule.segments))
    build = BuildOptions(serial=True, guard_bytes=_GUARD_BYTES)
    firmware = build_firmware(sources, harness_model(plan, selftest=True), board, folder / "firmware", build)
    graph = plan.schedule.graph
    inputs = random_inputs([graph.tensor(i) for i in graph.inputs], settings.inferences, settings.seed)
    given = [b"".join(array.tobytes() for array in arrays) for arrays in inputs]
    result = run_firmware(firmware, given, port=settings.port, may_flash=settings.may_flash)
    expected = [b"".join(a.tobytes() for a in arrays) for arrays in tflm_oracle(model.read_bytes(), graph).run(inputs)]
    pairs = zip(b"".join(result.outputs), b"".join(expected), strict=True)
    return result, plan.macs, sum(a != b for a, b in pairs)
