# SPDX-License-Identifier: Apache-2.0
"""How templates become C."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def c_environment() -> Environment:
    """Templates of runnel/emit/templates; a name that nobody sets is an error.

    Nothing is escaped, for it is C and not HTML: a model's own text must pass emit/text.py first.
    """
    return Environment(
        loader=PackageLoader("runnel.emit"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
