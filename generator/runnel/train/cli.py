# SPDX-License-Identifier: Apache-2.0
"""How the training commands end."""

from __future__ import annotations

import sys
from collections.abc import Callable

from runnel.errors import RunnelError


def exit_code(program: str, work: Callable[[], None]) -> int:
    """Do `work`: 0, 2 after a message about wrong input, 130 after Ctrl-C."""
    try:
        work()
    except (RunnelError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command continues after the last finished epoch", file=sys.stderr)
        return 130
    return 0
