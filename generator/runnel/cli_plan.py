# SPDX-License-Identifier: Apache-2.0
"""The commands plan and report: how a model would run, as tables, page and pictures."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
from click.core import ParameterSource

from runnel.boards import Board, load_board
from runnel.cli_options import (
    board_option,
    existing_model,
    json_option,
    model_argument,
    name_option,
    schedule_options,
)
from runnel.cli_print import console, print_json, print_plan, progress
from runnel.compiler import Options, load_model, plan_front, plan_model
from runnel.errors import RunnelError
from runnel.figures import plan_figures
from runnel.output_folder import write_whole
from runnel.plan.plan import Plan
from runnel.report.front import Front, front_hint, front_table, write_front_png
from runnel.report.html import render_html
from runnel.report.plot import need_matplotlib
from runnel.report.png import write_png
from runnel.report.view import plan_view

png_option = click.option(
    "--png", type=click.Path(path_type=Path), metavar="FILE",
    help="Also draw it as a picture; needs matplotlib (pip install matplotlib).",
)  # fmt: skip
pareto_option = click.option(
    "--pareto", is_flag=True,
    help="Show the schedules to choose from: all that no other one beats in SRAM and in work at once. Here "
    "--max-overhead is 100 where it is not given.",
)  # fmt: skip


def make_plan(model: Path, board: Board, options: Options, name: str, quiet: bool = False) -> Plan:
    """The plan that the options ask for; a spinner while it is made."""
    with progress(quiet) as report:
        report(f"planning {name} for {board.name}")
        return plan_model(load_model(existing_model(model), options), board, options, name)


@click.command("plan")
@model_argument
@board_option
@pareto_option
@png_option
@name_option
@schedule_options
@json_option
def plan_command(
    model: Path, board_name: str, pareto: bool, png: Path | None, name: str, options: Options, as_json: bool
) -> None:
    """Shows how MODEL would run: schedule and memory map. Writes nothing but what --png asks for.

    A model that does not fit is an error that says by how much, what the peak is and which options would help.

    \b
    Examples: does it fit into 64 kB? And what would more SRAM, or more work, bring?
      runnel plan person.tflite --board stm32f412 --sram 64K
      runnel plan person.tflite --board stm32f412 --input pulled --input-passes 8 --pareto --png front.png
    """
    board = load_board(board_name)
    need_matplotlib(png)
    if pareto:
        front = make_front(model, board, options, name)
        if png is not None:
            write_front_png(front, png)
        if as_json:
            print_json({"model": name, "board": board.name, "front": [asdict(point) for point in front.points]})
        else:
            console.print(front_table(front))
            console.print(front_hint(options.input == "pulled", options.input_passes), highlight=False, soft_wrap=True)
        return
    plan = make_plan(model, board, options, name)
    if png is not None:
        write_png([plan_view(plan)], png)
    if as_json:
        print_json(plan_figures(plan))
    else:
        print_plan(plan, board, details=True)


@click.command("report")
@model_argument
@board_option
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="The page, one .html file without links or scripts.  [default: none if --png is given, else report.html]",
)  # fmt: skip
@png_option
@pareto_option
@name_option
@schedule_options
@json_option
def report_command(
    model: Path,
    board_name: str,
    file: Path | None,
    png: Path | None,
    pareto: bool,
    name: str,
    options: Options,
    as_json: bool,
) -> None:
    """Draws how MODEL would run: memory over time, segments, work; as a page and as a picture.

    With --pareto the page also shows the schedules to choose from. `runnel compile` writes the page too.

    \b
    Examples:
      runnel report person.tflite --board stm32f746 -o person.html --pareto
      runnel report person.tflite --board stm32f746 --input pulled --png person.png
    """
    board = load_board(board_name)
    if file is None and png is None:
        file = Path("report.html")
    need_matplotlib(png)
    if pareto:
        _check_streams(options)
    plan = make_plan(model, board, options, name)
    front = make_front(model, board, options, name) if pareto else None
    if file is not None:
        write_whole(file, render_html(plan, None, front))
    if png is not None:
        write_png([plan_view(plan)], png)
    files = [str(path) for path in (file, png) if path is not None]
    if as_json:
        print_json({**plan_figures(plan), "files": files})
    else:
        print_plan(plan, board, details=False)
        console.print(f"\nWrote {' and '.join(files)}", highlight=False, soft_wrap=True)


def make_front(model: Path, board: Board, options: Options, name: str) -> Front:
    """All schedules worth choosing; a spinner while they are searched. Raises RunnelError for --layers."""
    _check_streams(options)
    graph = load_model(existing_model(model), options)
    if click.get_current_context().get_parameter_source("max_overhead") is ParameterSource.DEFAULT:
        options = replace(options, max_overhead=1.0)  # without work to trade for SRAM there would be little to see
    with progress() as report:
        report(f"searching the schedules of {name}")
        return plan_front(graph, board, options, name)


def _check_streams(options: Options) -> None:
    if options.layers:
        raise RunnelError("--pareto lists streamed schedules, which --layers forbids; leave out --layers or --pareto")
