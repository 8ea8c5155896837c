# SPDX-License-Identifier: Apache-2.0
"""The command arena: one arena for models that take turns."""

from __future__ import annotations

from pathlib import Path

import click

from runnel.cli_options import json_option, section_option
from runnel.cli_print import console, print_json
from runnel.emit.shared_arena import emit_shared_arena, read_arena
from runnel.errors import RunnelError
from runnel.naming import check_name
from runnel.output_folder import write_whole


@click.command("arena")
@click.argument("plans", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PLAN...")
@click.option("--name", required=True, metavar="NAME", help="C identifier: the array is called NAME_arena.")
@click.option(
    "-o", "--output", "file", required=True, type=click.Path(path_type=Path), metavar="FILE.c",
    help="The C file to write; its folder is made if it is not there.",
)  # fmt: skip
@section_option("--section")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@json_option
def arena_command(
    plans: tuple[Path, ...], name: str, file: Path, section: str | None, quiet: bool, as_json: bool
) -> None:
    """Writes one C file with an arena that several models share, as large as the largest of theirs.

    PLAN is the plan.json that `runnel compile` wrote for each of them. Compile FILE.c instead of the models' own
    NAME_arena.c. The models must take turns: the output of one is gone when the next gets its input.

    \b
    Example: person detector and keywords in one arena
      runnel arena src/person/plan.json src/words/plan.json --name shared -o src/shared_arena.c
    """
    arenas = [read_arena(plan) for plan in plans]
    if any(file.exists() and file.samefile(plan) for plan in plans):
        raise RunnelError(
            f"-o {file} is one of the plans that are read; give the C file to write, as in -o {name}_arena.c"
        )
    write_whole(file, emit_shared_arena(check_name(name), arenas, section))
    size, apart = max(a.bytes for a in arenas), sum(a.bytes for a in arenas)
    if as_json:
        models = {a.model: a.bytes for a in arenas}
        print_json({"name": name, "arena_bytes": size, "separate_bytes": apart, "models": models, "file": str(file)})
    elif not quiet:
        names = ", ".join(f"{a.model} {a.bytes:,}" for a in arenas)
        console.print(f"{name}_arena: {size:,} bytes for {names}; separate arenas would take {apart:,} bytes",
                      highlight=False, soft_wrap=True)  # fmt: skip
