# SPDX-License-Identifier: Apache-2.0
"""The command compare: two plans side by side."""

from __future__ import annotations

from pathlib import Path

import click

from runnel.boards import load_board
from runnel.cli_options import existing_model, json_option, schedule_options
from runnel.cli_plan import png_option
from runnel.cli_print import console, print_json, progress
from runnel.compiler import Options, load_model, plan_model
from runnel.errors import RunnelError
from runnel.naming import model_name
from runnel.output_folder import write_whole
from runnel.plan.serialise import PlanFileError
from runnel.report.compare import compare_html, compare_record, compare_table, segments_table
from runnel.report.plot import need_matplotlib
from runnel.report.png import write_png
from runnel.report.saved import saved_view
from runnel.report.view import PlanView, plan_view


@click.command("compare")
@click.argument("first", type=click.Path(path_type=Path), metavar="A")
@click.argument("second", type=click.Path(path_type=Path), metavar="B")
@click.option("--board", "board_name", metavar="BOARD", help="Which board models are planned for; plans know theirs.")
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write a page with both memory maps, one .html file.",
)  # fmt: skip
@png_option
@schedule_options
@json_option
def compare_command(
    first: Path,
    second: Path,
    board_name: str | None,
    file: Path | None,
    png: Path | None,
    options: Options,
    as_json: bool,
) -> None:
    """Shows what differs between two plans: SRAM, work, flash, segments, the peak.

    A and B are each a plan.json, a folder that `runnel compile` wrote, or a .tflite file, which is planned with the
    options given here (they do nothing to a plan.json).

    \b
    Examples:
      runnel compare before/plan.json after/plan.json -o difference.html
      runnel compare out/person person.tflite --board stm32f746 --input pulled
    """
    need_matplotlib(png)
    views = [_view(path, board_name, options) for path in (first, second)]
    names = _names(first, second)
    if file is not None:
        write_whole(file, compare_html(names, *views))
    if png is not None:
        write_png(views, png)
    if as_json:
        print_json(compare_record(*views))
    else:
        console.print(compare_table(names, *views))
        console.print(segments_table(names, *views))


def _view(path: Path, board_name: str | None, options: Options) -> PlanView:
    plan = path / "plan.json" if path.is_dir() else path
    if path.is_dir() and not plan.exists():
        raise PlanFileError(
            f"{path}: there is no plan.json in this folder; give a folder that `runnel compile` wrote, a plan.json or "
            "a .tflite file"
        )
    if not path.exists():
        raise PlanFileError(f"{path}: there is no such file or folder; give a plan.json or a .tflite file")
    if plan.suffix == ".json":
        try:
            return saved_view(plan.read_text(encoding="utf-8"))
        except PlanFileError as error:
            raise PlanFileError(f"{plan}: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise PlanFileError(f"{plan}: cannot be read: {reason}; give a plan.json or a .tflite file") from error
    if board_name is None:
        raise RunnelError(f"{path} is a model: say with --board which board to plan it for, or give a plan.json")
    with progress() as report:
        report(f"planning {path.name}")
        board, graph = load_board(board_name), load_model(existing_model(path), options)
        return plan_view(plan_model(graph, board, options, model_name(path)))


def _names(first: Path, second: Path) -> tuple[str, str]:
    """The shortest ends of the paths that differ."""
    one, two = first.parts, second.parts
    if first.name == second.name and len(one) > 1 and len(two) > 1:
        return str(Path(*one[-2:])), str(Path(*two[-2:]))
    return first.name or str(first), second.name or str(second)
