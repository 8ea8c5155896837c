# SPDX-License-Identifier: Apache-2.0
"""Reads board files: strict YAML, checked against boards/board.schema.json, with messages a user can act on."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from runnel.errors import BoardError
from runnel.resources import resource_root


def read_board_file(path: Path) -> Mapping[str, Any]:
    """The keys of a board file, of the types that the schema promises. Raises BoardError."""
    data: Mapping[str, Any] = _read_yaml(path)
    errors = sorted(_validator().iter_errors(data), key=lambda e: [str(p) for p in e.absolute_path])
    if errors:
        raise BoardError(f"{path}: {_explain(errors[0])}")
    return data


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message, or nothing when no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


@functools.cache
def _validator() -> jsonschema.protocols.Validator:
    schema = json.loads((resource_root() / "boards" / "board.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


class _StrictLoader(yaml.SafeLoader):
    """Without what a board file never needs: of two equal keys PyYAML keeps the last in silence, and a few lines of
    aliases can stand for gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed in a board file", mark)
        return super().compose_node(parent, index)


def _construct_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is there twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BoardError(f"{path}: cannot read the board file: {reason}") from error
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark is not None else ""
        problem = getattr(error, "problem", None) or "nested too deeply or not a value"
        raise BoardError(f"{path}:{where} not valid YAML: {problem}") from error


def _explain(error: jsonschema.ValidationError) -> str:
    """What is wrong, which key, what is allowed."""
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
    where = f"{key}: " if key else ""
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    found: Any = error.instance
    if error.validator == "additionalProperties":
        allowed = list(schema["properties"])
        unknown = next(str(k) for k in found if k not in allowed)
        return f"{where}unknown key {unknown!r}; allowed: {', '.join(allowed)}{did_you_mean(unknown, allowed)}"
    if error.validator == "required":
        missing = next(k for k in schema["required"] if k not in found)
        return f"{where}key {missing!r} is missing"
    if error.validator == "enum":
        allowed = [str(v) for v in schema["enum"]]
        hint = did_you_mean(str(found), allowed)
        return f"{where}{found!r} is not one of {', '.join(allowed)}{hint}"
    if error.validator == "pattern":
        return f"{where}{found!r} has the wrong form; {schema.get('description', schema['pattern'])}"
    return f"{where}{error.message}"
