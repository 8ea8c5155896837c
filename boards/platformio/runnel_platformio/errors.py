# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can act on."""


class HookError(Exception):
    """Something about the project or the machine: one message, no traceback, and the build ends."""
