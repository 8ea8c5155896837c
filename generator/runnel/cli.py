# SPDX-License-Identifier: Apache-2.0
"""The command `runnel`: parses, calls, prints. Everything it does can be done from Python with the same functions."""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

import runnel
from runnel.cli_arena import arena_command
from runnel.cli_commands import boards_command, compile_command, operators_command
from runnel.cli_compare import compare_command
from runnel.cli_patches import patches_command
from runnel.cli_plan import plan_command, report_command
from runnel.cli_print import plain
from runnel.cli_run import run_command
from runnel.cli_zoo import zoo_command
from runnel.errors import RunnelError
from runnel.signals import stop_cleanly

USER_ERROR = 2
INTERNAL_ERROR = 1
INTERRUPTED = 130

_EPILOG = """
\b
Try it:
  runnel boards                                      which boards there are
  runnel plan person.tflite --board qemu-m7          will it fit? nothing is written
  runnel plan person.tflite --board qemu-m7 --input pulled --pareto     what else could be chosen
  runnel compile person.tflite --board stm32f746 -o src/person
  runnel run person.tflite --board qemu-m7 --input photo.jpg

\b
Exit codes: 0 fine; 1 the output differs from the oracle, or an error in Runnel itself;
2 something about the model, the board or the options, said in one message; 130 interrupted.
With --json an error is also one object on stdout: {"error": "...", "kind": "ModelError"}.
RUNNEL_DEBUG=1 shows where in Runnel an error came up.
"""


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(runnel.__version__, prog_name="runnel")
def cli() -> None:
    """Compiles int8 TFLite models to C for one microcontroller.

    MODEL is always the path of a .tflite file, quantized to int8 (full integer quantization). The generated C needs
    no interpreter and no malloc, keeps everything but the stack in one static array (the arena), and gives bit for
    bit what TensorFlow Lite Micro gives.
    """


for _command in (
    compile_command,
    arena_command,
    plan_command,
    report_command,
    compare_command,
    run_command,
    boards_command,
    operators_command,
    zoo_command,
    patches_command,
):
    cli.add_command(_command)


def execute(arguments: Sequence[str], command: click.Command = cli, program: str = "runnel") -> int:
    """Runs one command line and gives its exit code; every error becomes a message, as `runnel --help` says."""
    as_json = "--json" in arguments
    try:
        result = command.main(args=list(arguments), prog_name=program, standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except RunnelError as error:
        _show_traceback()
        return _fail(str(error), type(error).__name__, as_json, USER_ERROR)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        return _fail(error.format_message(), "UsageError", as_json, USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        _show_traceback()
        text = (
            f"internal error ({type(error).__name__}: {error}). This is a bug in Runnel {runnel.__version__}: please "
            "report it with the command line and, if you can, the model. RUNNEL_DEBUG=1 shows where it came up"
        )
        return _fail(text, "InternalError", as_json, INTERNAL_ERROR)


def _fail(message: str, kind: str, as_json: bool, code: int) -> int:
    click.echo(f"runnel: {plain(message)}", err=True)
    if as_json:
        click.echo(json.dumps({"error": message, "kind": kind}))
    return code


def use_any_terminal() -> None:
    """A terminal that cannot show × or … gets a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _show_traceback() -> None:
    if os.environ.get("RUNNEL_DEBUG"):
        traceback.print_exc()


def main() -> NoReturn:
    """Entry point of the console script."""
    use_any_terminal()
    stop_cleanly()
    sys.exit(execute(sys.argv[1:]))
