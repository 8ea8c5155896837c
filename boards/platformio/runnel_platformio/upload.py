# SPDX-License-Identifier: Apache-2.0
"""The target upload: openocd and an ST-LINK, from PATH or from PlatformIO's registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def add_upload_target(env: Any, program: Any, platform: Any, board: Any) -> None:
    """`pio run -t upload`, with upload_protocol = stlink or custom (upload_command)."""
    if env.subst("$UPLOAD_PROTOCOL") != "custom":
        server = board.get("debug.tools.stlink.server")
        package = platform.get_package_dir(server["package"]) if "package" in server else None
        executable = Path(package or "") / server["executable"]
        arguments = [word.replace("$PACKAGE_DIR", package or "") for word in server["arguments"]]
        env.Replace(
            UPLOADER=str(executable),
            UPLOADERFLAGS=[*arguments, "-c", "program {$SOURCE} verify reset exit"],
            UPLOADCMD='"$UPLOADER" $UPLOADERFLAGS',
        )
    env.AddPlatformTarget(
        "upload", program, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"), "Upload with ST-LINK"
    )
