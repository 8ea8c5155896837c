# SPDX-License-Identifier: Apache-2.0
"""The report: one HTML file without scripts, links or downloads, readable in light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jinja2

import runnel
from runnel.plan.plan import Plan
from runnel.report.front import Front, make_front_picture
from runnel.report.peak import explain_peak
from runnel.report.picture import make_picture
from runnel.report.tables import step_text
from runnel.report.text import input_text, kilobytes, millions
from runnel.report.view import KIND_TEXT, PlanView, plan_view

_PLANNED = frozenset(
    (
        "model", "board", "objective", "arena_bytes", "arena_lower_bound_bytes", "predicted_bytes", "constants_bytes",
        "macs", "nominal_macs", "macs_overhead", "input_passes", "segments", "outputs",
    )
)  # fmt: skip
"""Figures that the plan itself has, and the answers, which are no figure."""

_MEASURED_TEXT = {
    "sram_bytes": "peak SRAM: arena, other variables, stack",
    "stack_bytes": "stack, high-water mark",
    "flash_bytes": "flash, the whole image",
    "code_bytes": "code: flash less constants and start-up",
    "instructions": "executed instructions, the worst input",
}


@dataclass(frozen=True)
class Tile:
    """A headline figure."""

    value: str
    name: str
    note: str


def render_html(plan: Plan, figures: Mapping[str, object] | None, front: Front | None = None) -> str:
    """The report on a plan as one HTML file. figures: what `runnel run` measured, under the names of its --json.

    front: the schedules to choose from, drawn where it is given.
    Everything that comes from the model is escaped. The same plan and figures give the same text.
    """
    view = plan_view(plan)
    used = {row.kind for row in view.buffers}
    return template_of("report.html.j2", len(view.segments)).render(
        plan=plan,
        view=view,
        version=runnel.__version__,
        tiles=_tiles(plan, view, figures or {}),
        measured=_measured(plan, figures or {}),
        verdict=_verdict(figures or {}),
        peak=explain_peak(plan),
        picture=make_picture(view),
        front=make_front_picture(front) if front is not None else None,
        kinds=[(kind, text) for kind, text in KIND_TEXT.items() if kind in used],
        buffers=sorted(view.buffers, key=lambda row: (row.offset, row.first)),
        most_macs=max((row.macs for row in view.segments), default=0) or 1,
        most_live=max((row.live for row in view.segments), default=0) or 1,
    )


def template_of(name: str, steps: int) -> jinja2.Template:
    """A page that escapes all it is given. steps: how many segments there are, for the filter `step`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("runnel.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["step"] = lambda step: step_text(step, steps)
    return environment.get_template(name)


def _tiles(plan: Plan, view: PlanView, figures: Mapping[str, object]) -> list[Tile]:
    overhead = f"{plan.macs_overhead:.1%} computed again (halos)" if plan.macs_overhead else "each computed once"
    tiles = [
        Tile(kilobytes(plan.arena_bytes), "arena (SRAM)", f"{plan.arena_bytes:,} bytes; {_optimality(plan)}"),
        Tile(
            kilobytes(plan.constants_bytes),
            "constants (flash)",
            f"{plan.constants_bytes:,} bytes: weights, biases, tables",
        ),
        Tile(millions(plan.macs), "MACs", f"{plan.macs:,}; {overhead}"),
        Tile(str(view.operators), "operators", f"in {len(view.segments)} segments; {input_text(view.input_passes)}"),
    ]
    instructions = figures.get("instructions")
    if isinstance(instructions, int) and plan.macs:
        tiles.append(Tile(millions(instructions), "instructions", f"{instructions / plan.macs:.2f} per MAC, measured"))
    return tiles


def _optimality(plan: Plan) -> str:
    if plan.arena_bytes == plan.arena_lower_bound_bytes:
        return "equal to the lower bound"
    over = plan.arena_bytes / max(1, plan.arena_lower_bound_bytes) - 1
    proved = ", proved the least possible" if plan.layout.optimal else ""
    return f"{over:.1%} above the lower bound{proved}"


def _measured(plan: Plan, figures: Mapping[str, object]) -> list[tuple[str, str]]:
    """(name, value) of every figure that was measured; figures unknown here are shown under their own names."""
    rows = []
    for key, value in figures.items():
        if value is None or key in _PLANNED or key in ("oracle", "mismatches"):
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            unit = " bytes" if key.endswith("_bytes") else ""
            unit += f" ({kilobytes(value)})" if unit and value >= 1024 else ""
            per_mac = f" ({value / plan.macs:.2f} per MAC)" if key == "instructions" and plan.macs else ""
            rows.append((_MEASURED_TEXT.get(key, key), f"{value:,}{unit}{per_mac}"))
        elif isinstance(value, str | float | bool):
            rows.append((_MEASURED_TEXT.get(key, key), str(value)))
    return rows


def _verdict(figures: Mapping[str, object]) -> tuple[str, bool] | None:
    """What the comparison with the oracle said, and whether it is good news; None where nothing was compared."""
    mismatches, oracle = figures.get("mismatches"), figures.get("oracle") or "the oracle"
    if not isinstance(mismatches, int):
        return None
    if mismatches == 0:
        return f"output equals {oracle}", True
    return f"output differs from {oracle}: {mismatches:,} bytes", False
