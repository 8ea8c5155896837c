# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import dataclasses
import functools
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runnel.compiler import Options
from runnel.errors import RunnelError
from runnel.naming import check_name, check_section, model_name

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def parse_bytes(text: str) -> int:
    """A size in bytes: `65536`, `64K`, `64kB`, `64 KiB`, `1.5M`; K is 1024 everywhere. Raises ValueError."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)(?:i?b|bytes?)?", text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write bytes (65536) or a number with K or M (64K, 1.5M)")
    size = float(match[1]) * _UNITS[match[2]]
    if size != int(size) or not 0 < size < 2**32:
        raise ValueError(f"{text!r} is not a whole number of bytes from 1 to 4 G")
    return int(size)


def _byte_size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Callback of options that take a size."""
    try:
        return None if value is None else parse_bytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def _percent(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """Callback of options that take a share: `10`, `2.5`, `10%`. Gives 0.1 for 10 %."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]+)?)\s*%?", value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a percentage; write a number, as in 10 or 2.5", context, parameter)
    return float(match[1]) / 100


def _section(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else check_section(value)


def _required_board(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Instead of required=True, whose message cannot say where the names are."""
    if value is None and not context.resilient_parsing:
        raise click.UsageError("Missing option '--board'; `runnel boards` lists them", context)
    return value


Command = Callable[..., Any]

model_argument = click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
board_option = click.option(
    "--board", "board_name", callback=_required_board, metavar="BOARD",
    help="A name that `runnel boards` lists (Runnel's, Zephyr's or PlatformIO's), or the path of a board file "
    "(.yaml).  [required]",
)  # fmt: skip
section_option = functools.partial(
    click.option, callback=_section, metavar="SECTION",
    help="Linker section for the arena, for example .dtcm_noinit; one that is not initialised, or the arena takes as "
    "much flash.  [default: .bss]",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
_name_option = click.option(
    "--name", metavar="NAME",
    help="C identifier for the generated functions and files.  [default: made from the file name]",
)  # fmt: skip
_input_option = click.option(
    "--input", type=click.Choice(["stored", "pulled"]),
    help="stored: the caller writes the whole input before the run. pulled: the run asks a callback for the rows of "
    "the image, which is then never stored.  [default: stored, or what --plan says]",
)  # fmt: skip
_SCHEDULE_OPTIONS = (
    click.option(
        "--objective", type=click.Choice(["sram", "latency", "flash"]), default="sram", show_default=True,
        help="What to make small first; the others stay within their budgets.",
    ),
    click.option(
        "--sram", callback=_byte_size, metavar="SIZE",
        help="At most this much SRAM, for example 64K.  [default: what the board has]",
    ),
    click.option(
        "--flash", callback=_byte_size, metavar="SIZE",
        help="At most this much flash, for example 1M.  [default: what the board has]",
    ),
    click.option(
        "--input-passes", type=click.IntRange(1, 1024), metavar="N", default=1, show_default=True,
        help="How often a pulled input may be asked for: a camera can answer once, a stored picture often. "
        "Does nothing without --max-overhead.",
    ),
    click.option(
        "--max-overhead", callback=_percent, metavar="PERCENT", default="0", show_default=True,
        help="How many multiply-accumulates may be computed a second time to save SRAM, in percent of the model's.",
    ),
    click.option("--layers", is_flag=True, help="No streaming: one operator after the other, for comparison."),
    click.option("--sram-from", metavar="TEXT", help="Where --sram comes from, for the message that it is too small."),
    click.option("--flash-from", metavar="TEXT", help="Where --flash comes from, likewise."),
    click.option(
        "--edges", type=click.Choice(["int8", "original"]), default="int8", show_default=True,
        help="Types of the model's inputs and outputs: int8, or those of the file (uint8, float) behind "
        "QUANTIZE and DEQUANTIZE.",
    ),
    click.option(
        "--plan", "saved_plan", type=click.Path(path_type=Path), metavar="FILE",
        help="Use the memory map of this plan.json, saved by `runnel compile` for the same model, board and options.",
    ),
)  # fmt: skip


def schedule_options(command: Command) -> Command:
    """Adds the options that decide how a model is compiled; the command gets them as one `options`."""
    return _input_option(schedule_options_but_input(command))


def schedule_options_but_input(command: Command) -> Command:
    """For a command whose --input is something else, too. It has to put it into `options` itself."""

    @functools.wraps(command)
    def gathered(**values: Any) -> Any:
        names = [field.name for field in dataclasses.fields(Options) if field.name in values]
        return command(options=Options(**{name: values.pop(name) for name in names}), **values)

    for option in reversed(_SCHEDULE_OPTIONS):
        gathered = option(gathered)
    return gathered


def name_option(command: Command) -> Command:
    """Adds --name; the command gets a valid `name`, made from the model's file where none is given."""

    @functools.wraps(command)
    def named(*, name: str | None, model: Path, **others: Any) -> Any:
        return command(name=check_name(name) if name is not None else model_name(model), model=model, **others)

    return _name_option(named)


def existing_model(path: Path) -> Path:
    """The path, if a regular file is there (a device could be read forever). Raises RunnelError otherwise."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunnelError(f"there is no model {path}: {reason}; give the path of a .tflite file") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise RunnelError(f"{path} is {what}; give the path of a .tflite file")
    return path
