# SPDX-License-Identifier: Apache-2.0
"""Being stopped: by Ctrl-C, by a build system that gives up, by a terminal that closes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def stop_cleanly() -> None:
    """From now on the first of these signals raises KeyboardInterrupt, so that temporary files go; others do nothing.

    Several come together when a terminal stops a build and the build system passes it on. Those that the process was
    started to ignore (nohup, jobs in the background) it goes on to ignore.
    """
    for number in STOP_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(_number: int, _frame: object) -> NoReturn:
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def signals_held_back() -> Iterator[None]:
    """A signal that arrives in the block takes effect at its end. Does nothing outside of the main thread.

    For what takes milliseconds and must not be done by halves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    arrived: list[int] = []
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    held_back = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in held_back:
        signal.signal(number, lambda caught, _: arrived.append(caught))
    try:
        yield
    finally:
        for number in held_back:
            signal.signal(number, before[number])
        for caught in dict.fromkeys(arrived):
            signal.raise_signal(caught)
