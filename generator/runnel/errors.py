# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can act on. The command line prints their text and exits with code 2."""

from __future__ import annotations


class RunnelError(Exception):
    """Base of every error caused by what the user gave us: one clear message, no traceback."""


class ModelError(RunnelError):
    """The model file is damaged, contradicts itself, or is of a kind that Runnel does not compile."""


class UnsupportedError(ModelError):
    """The model is sound but uses an operator, type or option that Runnel does not support."""


class BoardError(RunnelError):
    """A board file is missing, malformed or has a typo."""


class BudgetError(RunnelError):
    """The plan needs more SRAM or flash than the board or the user's budget allows."""


class BuildError(RunnelError):
    """The cross compiler is missing or rejected the generated code."""


class RunError(RunnelError):
    """The firmware could not be started, timed out, or reported a failure."""


class InputError(RunnelError):
    """A user's image, sound or array cannot be used as an input of this model."""
