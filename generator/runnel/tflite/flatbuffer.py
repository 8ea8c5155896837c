# SPDX-License-Identifier: Apache-2.0
"""Guarded access to flatbuffer tables: the only place that touches bytes which may lie.

The generated classes follow offsets blindly. Python bounds-checks every read, so a wrong offset ends in one of
READ_ERRORS; `reading` turns these into a ModelError. What bounds checks do not catch are absurd lengths (slow, or
large allocations): each vector's length is compared with the file's size before anything is read from it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from runnel.errors import ModelError, RunnelError
from runnel.tflite.schema import accessor

READ_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)

TABLE_LIMIT = 65_536
"""Most entries of a vector of tables (tensors, buffers): larger than any model that fits a microcontroller."""

NAME_BYTES = 4_096


@contextmanager
def reading(source: str, what: str) -> Iterator[None]:
    """Turns whatever reading damaged bytes raises into one ModelError that says what was being read."""
    try:
        yield
    except RunnelError:
        raise
    except READ_ERRORS as error:
        raise ModelError(
            f"{source}: {what} is damaged: an offset, a length or a value lies outside the file "
            f"({type(error).__name__}); download or convert the model again"
        ) from error


@dataclass(frozen=True)
class Table:
    """A flatbuffer table with the limits needed to read it safely.

    raw: the generated object. size: bytes of the file. what: how messages name this table.
    """

    raw: Any
    size: int
    source: str
    what: str

    def get(self, field: str) -> Any:
        """A scalar field, or its default where the file does not store it."""
        return getattr(self.raw, accessor(field))()

    def stored_int32(self, slot: int) -> int:
        """The number in a vtable slot, 0 where not stored; for a field whose generated method is not a plain getter."""
        inner = self.raw._tab
        offset = inner.Offset(slot)
        return int(struct.unpack_from("<i", inner.Bytes, inner.Pos + offset)[0]) if offset else 0

    def count(self, field: str, element_bytes: int, most: int) -> int:
        """Entries of the vector `field`; ModelError if they cannot fit in the file or exceed `most`."""
        length = int(getattr(self.raw, accessor(field) + "Length")())
        if length * element_bytes > self.size:
            raise ModelError(
                f"{self.source}: {self.what} claims {length} {field}, more than the file of {self.size} bytes "
                "can hold; the file is damaged"
            )
        if length > most:
            raise ModelError(
                f"{self.source}: {self.what} lists {length} entries in '{field}'; at most {most} are supported"
            )
        return length

    def array(self, field: str, element_bytes: int, most: int) -> Any:
        """A vector of scalars as a read-only numpy view into the file; () where the file does not store it."""
        if self.count(field, element_bytes, most) == 0:
            return ()
        return getattr(self.raw, accessor(field) + "AsNumpy")()

    def integers(self, field: str, element_bytes: int = 4, most: int = TABLE_LIMIT) -> tuple[int, ...]:
        return tuple(int(value) for value in self.array(field, element_bytes, most))

    def floats(self, field: str, most: int = TABLE_LIMIT) -> tuple[float, ...]:
        return tuple(float(value) for value in self.array(field, 4, most))

    def child(self, field: str, what: str) -> Table | None:
        """The sub-table `field`, or None where the file does not store it."""
        raw = getattr(self.raw, accessor(field))()
        return None if raw is None else Table(raw, self.size, self.source, what)

    def entry(self, field: str, index: int, what: str) -> Table:
        """Table number `index` of the vector of tables `field`."""
        count = self.count(field, 4, TABLE_LIMIT)
        if not 0 <= index < count:
            raise ModelError(
                f"{self.source}: {self.what} refers to {what}, but the file has {count} {field}; the file is damaged"
            )
        raw = getattr(self.raw, accessor(field))(index)
        return Table(raw, self.size, self.source, what)

    def text(self, field: str) -> str:
        """A string without control characters (it ends up in messages and comments); "" where not stored."""
        stored: bytes | None = getattr(self.raw, accessor(field))()
        if stored is None:
            return ""
        if len(stored) > NAME_BYTES:
            raise ModelError(
                f"{self.source}: the {field} of {self.what} has {len(stored)} bytes; at most {NAME_BYTES} are supported"
            )
        return "".join(c if c.isprintable() else "?" for c in stored.decode("utf-8", errors="replace"))
