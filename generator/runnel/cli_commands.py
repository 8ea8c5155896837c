# SPDX-License-Identifier: Apache-2.0
"""The commands compile, boards and operators."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
from rich.table import Table

from runnel.boards import board_file, known_boards, load_board
from runnel.cli_options import (
    board_option,
    json_option,
    model_argument,
    name_option,
    schedule_options,
    section_option,
)
from runnel.cli_plan import make_plan
from runnel.cli_print import console, print_json, print_plan
from runnel.compiler import Options, write_sources
from runnel.depfile import dependency_rule, generator_files
from runnel.figures import plan_figures
from runnel.operator_docs import operator_entries, operators_markdown
from runnel.output_folder import staged_folder, write_whole
from runnel.reference import selftest_crc
from runnel.report.text import kilobytes


@click.command("compile")
@model_argument
@board_option
@click.option(
    "-o", "--output", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Where the files go; made if it is not there.",
)  # fmt: skip
@section_option("--arena-section")
@click.option(
    "--depfile", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write a Makefile rule that names all that the output depends on, for make, Ninja and CMake.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@name_option
@schedule_options
@json_option
def compile_command(
    model: Path,
    board_name: str,
    folder: Path,
    arena_section: str | None,
    depfile: Path | None,
    quiet: bool,
    name: str,
    options: Options,
    as_json: bool,
) -> None:
    """Writes C for MODEL: sources, header, plan.json and report.html.

    The files appear together when all are complete. In a folder that exists already files of the same names are
    replaced and all others stay as they are. The same model and options give the same bytes every time.

    \b
    Example: two models side by side in one firmware
      runnel compile person.tflite --board stm32f746 -o src/person
      runnel compile kws.tflite --board stm32f746 -o src/words --name words --sram 32K
    """
    board = load_board(board_name)
    plan = make_plan(model, board, options, name, quiet)
    rule = None
    if depfile is not None:
        inputs = [model, board_file(board_name), *([options.saved_plan] if options.saved_plan is not None else [])]
        rule = dependency_rule(folder / f"{name}.c", [*inputs, *generator_files()])
    with staged_folder(folder, last=f"{name}.c") as stage:
        write_sources(plan, stage, selftest_crc(plan.schedule.graph, plan.schedule.segments), arena_section)
        files = sorted(str(p.relative_to(stage)) for p in stage.rglob("*") if p.is_file())
        if depfile is not None and rule is not None:
            write_whole(depfile, rule)
    if as_json:
        print_json({**plan_figures(plan), "folder": str(folder), "files": files})
    elif not quiet:
        print_plan(plan, board, details=False)
        console.print(f"\nWrote {len(files)} files to {folder}: {', '.join(files)}", highlight=False, soft_wrap=True)
        console.print(f"Look at {folder / 'report.html'} for the memory map; the header says how to call it.",
                      highlight=False, soft_wrap=True)  # fmt: skip


@click.command("boards")
@json_option
def boards_command(as_json: bool) -> None:
    """Lists the boards that Runnel knows.

    SRAM and flash are the largest contiguous regions: what one arena and one image can use. --board takes each name
    in the table, those of Zephyr also with qualifiers and revision, and the path of a board file of your own:
    docs/adding-a-board.md shows how to write one.
    """
    boards = known_boards()
    if as_json:
        print_json({"boards": [{**dataclasses.asdict(b), "sram_bytes": b.sram_bytes, "flash_bytes": b.flash_bytes}
                               for b in boards]})  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("board", "core", "MHz", "SRAM", "flash", "runs in", "what it is", "also known as"):
        table.add_column(heading, justify="right" if heading in ("MHz", "SRAM", "flash") else "left")
    for board in boards:
        runner = board.runner.kind if board.runner is not None else "–"
        memory = ("–", "–") if board.is_host else (kilobytes(board.sram_bytes), kilobytes(board.flash_bytes))
        clock = "–" if board.is_host else f"{board.clock_hz / 1e6:g}"
        others = ", ".join(dict.fromkeys((*board.zephyr, *board.platformio)))
        table.add_row(board.name, board.core, clock, *memory, runner, board.description, others)
    console.print(table)


@click.command("operators")
@click.option("--markdown", is_flag=True, help="Print docs/operators.md.")
@json_option
def operators_command(markdown: bool, as_json: bool) -> None:
    """Lists the TFLite operators that compile, with their constraints.

    \b
    Example: after adding an operator
      runnel operators --markdown > docs/operators.md
    """
    if markdown:
        click.echo(operators_markdown(), nl=False)
    elif as_json:
        print_json({"operators": [dataclasses.asdict(entry) for entry in operator_entries()]})
    else:
        for entry in operator_entries():
            console.print(f"[bold]{entry.kind}[/bold]  {entry.summary}", highlight=False)
            for constraint in entry.constraints:
                console.print(f"    {constraint}", highlight=False, markup=False)
