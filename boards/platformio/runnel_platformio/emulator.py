# SPDX-License-Identifier: Apache-2.0
"""The target qemu: runs the firmware and ends as it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import HookError
from .python import environment

EXIT_CODE_FILE = "qemu-exit-code"
"""In the environment's build folder. platform.py deletes it before a build and reads it after one."""

_PREPARE = Path(__file__).resolve().parents[1] / "builder" / "prepare_run.py"

_MEANINGS = {
    3: "the model does not compute what it should (self-test)",
    5: "the files with pictures or sound cannot be used",
    6: "the processor took a fault",
}


def add_qemu_target(env: Any, program: Any, settings: dict[str, Any]) -> None:
    """`pio run -t qemu`, and `-t upload` with a message that says so."""

    def run(target: Any, source: Any, env: Any) -> int:
        try:
            return _run(env, settings, Path(str(source[0])).resolve())
        except HookError as error:
            sys.stderr.write(f"Error: {error}\n")
            return 2

    def refuse(target: Any, source: Any, env: Any) -> int:
        sys.stderr.write(f"Error: {env['PIOENV']} is emulated: there is nothing to upload to. To run it:\n")
        sys.stderr.write(f"  pio run -e {env['PIOENV']} -t qemu\n")
        return 2

    env.AddPlatformTarget("qemu", program, env.VerboseAction(run, "Running $SOURCE in QEMU"), "Run in QEMU")
    env.AddPlatformTarget("upload", program, env.VerboseAction(refuse, "Uploading"), "Upload (use qemu instead)")


def _run(env: Any, settings: dict[str, Any], program: Path) -> int:
    if settings["qemu_command"] is None:
        raise HookError(settings["qemu_advice"])
    command = [str(program) if word == "ELF" else word for word in settings["qemu_command"]]
    folder = _folder(env, settings)
    sys.stdout.flush()
    code = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL).returncode
    (Path(env.subst("$BUILD_DIR")) / EXIT_CODE_FILE).write_text(str(code), encoding="utf-8")
    if code != 0:
        sys.stderr.write(f"Error: the firmware ended with code {code}: {_MEANINGS.get(code, 'see above')}\n")
    return code


def _folder(env: Any, settings: dict[str, Any]) -> Path:
    """Where the firmware finds its files: the app's own, or what `-a` names, made ready."""
    default = settings["qemu_argument"]
    arguments = env.get("PROGRAM_ARGS") or ([default] if default else [])
    own = settings["qemu_folder"]
    if not arguments and own is not None:
        return Path(own)
    if len(arguments) != 1:
        raise HookError(
            f"{settings['app']} takes one argument: a folder of pictures (vww) or a wav file with 16-bit mono at "
            f"16 kHz (kws):\n  pio run -e {env['PIOENV']} -t qemu -a FILE"
        )
    folder = Path(env.subst("$BUILD_DIR")).resolve() / "run"
    given = Path(env.subst("$PROJECT_DIR")) / Path(arguments[0]).expanduser()
    options = ["--jpeg"] if settings["jpeg"] else []
    done = subprocess.run(
        [settings["python"], str(_PREPARE), settings["app"], str(folder), str(given), *options],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if done.returncode != 0:
        raise HookError(done.stderr.strip())
    return folder
