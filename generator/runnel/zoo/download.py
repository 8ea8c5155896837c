# SPDX-License-Identifier: Apache-2.0
"""Downloads one file: resumes what was interrupted, verifies, and puts it in its place when it is whole.

What has come so far lies beside the target as FILE.part, and FILE.part.json says of what it is a part. A part is
continued when it cannot become a mixture of two files: its checksum is known, or the server says that its file has not
changed since (If-Range).
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runnel
from runnel.errors import RunnelError

if sys.platform != "win32":
    import fcntl

LARGEST_FILE_BYTES = 64 * 1024 * 1024  # as large as models are read
_CHUNK_BYTES = 64 * 1024
_SECONDS = 30  # without a byte
_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416
_MODEL_IDENTIFIER = slice(4, 8), b"TFL3"

Report = Callable[[int, int | None], None]
"""Gets the bytes that are there and those of the whole file, None where the server does not say."""


class DownloadError(RunnelError):
    """Nothing, not all or something else came."""


@dataclass(frozen=True)
class Downloaded:
    """bytes and sha256 of the file; resumed: bytes that were there from a run before."""

    bytes: int
    sha256: str
    resumed: int


def download_model(url: str, target: Path, sha256: str | None, report: Report = lambda done, total: None) -> Downloaded:
    """Puts the .tflite file at `url` to `target`, whole or not at all. Raises DownloadError.

    sha256: what its checksum must be, None to take what comes. After an interruption (a lost connection, Ctrl-C) the
    next call goes on where this one stopped.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url} cannot be downloaded; give an address that starts with https:// or http://")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = _Part(target.with_name(f"{target.name}.part"), url, sha256)
        with _alone(part):
            resumed = _receive(part, report)
            return _finish(part, target, resumed)
    except OSError as error:
        raise DownloadError(
            f"cannot write {target}: {error.strerror or error}; choose another place with -o"
        ) from error


@dataclass(frozen=True)
class _Part:
    path: Path
    url: str
    sha256: str | None

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def headers(self) -> dict[str, str]:
        """What asks for the rest; empty where the part is no use."""
        size = self.path.stat().st_size
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            same, validator = note["url"] == self.url, note["validator"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        if not size or not same or not (validator or self.sha256):
            return {}
        return {"Range": f"bytes={size}-", **({"If-Range": validator} if validator else {})}

    def begin(self, answer: http.client.HTTPResponse) -> None:
        """Forgets what was there and notes what will be."""
        os.truncate(self.path, 0)
        tag = answer.headers.get("ETag", "")
        validator = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
        self.note.write_text(json.dumps({"url": self.url, "validator": validator}), encoding="utf-8")

    def remove(self) -> None:
        for path in (self.path, self.note):
            path.unlink(missing_ok=True)


def _receive(part: _Part, report: Report) -> int:
    """Gets the rest or all of it; gives how many bytes were there before."""
    headers = part.headers()
    try:
        with _open(part.url, headers) as answer:
            before = part.path.stat().st_size if _continues(answer, part, headers) else 0
            if not before:
                part.begin(answer)
            _append(part, answer, before, report)
            return before
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE and headers:
            os.truncate(part.path, 0)  # longer than the file on the server: from the start
            return _receive(part, report)
        raise DownloadError(
            f"{part.url}: the server answers {error.code} {error.reason}; give another address with --url"
        ) from error
    except urllib.error.URLError as error:
        raise _unreachable(part.url, error.reason) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _interrupted(part, None) from error


def _open(url: str, headers: dict[str, str]) -> Any:
    always = {"User-Agent": f"runnel/{runnel.__version__}", "Accept-Encoding": "identity"}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers={**always, **headers}), timeout=_SECONDS)
    except (http.client.InvalidURL, ValueError) as error:
        raise DownloadError(f"{url!r} is no address: {error}; give one that starts with https:// or http://") from error


def _continues(answer: http.client.HTTPResponse, part: _Part, headers: dict[str, str]) -> bool:
    """Whether the answer is the rest of the part; a server without Range sends the whole file."""
    start = f"bytes {part.path.stat().st_size}-"
    return bool(headers) and answer.status == _PARTIAL and answer.headers.get("Content-Range", "").startswith(start)


def _append(part: _Part, answer: http.client.HTTPResponse, before: int, report: Report) -> None:
    length = answer.headers.get("Content-Length", "")
    total = before + int(length) if length.isdecimal() else None
    done = before
    _refuse_large(part, total or 0)
    with part.path.open("ab") as file:
        report(done, total)
        while chunk := answer.read(_CHUNK_BYTES):
            file.write(chunk)
            file.flush()
            done += len(chunk)
            _refuse_large(part, done)
            report(done, total)
    if total is not None and done < total:
        raise _interrupted(part, total)


def _refuse_large(part: _Part, size: int) -> None:
    if size > LARGEST_FILE_BYTES:
        part.remove()
        raise DownloadError(
            f"{part.url} has more than {LARGEST_FILE_BYTES:,} bytes; models are smaller, nothing was kept"
        )


def _finish(part: _Part, target: Path, resumed: int) -> Downloaded:
    data = part.path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    where, identifier = _MODEL_IDENTIFIER
    if part.sha256 is not None and found != part.sha256:
        part.remove()
        raise DownloadError(
            f"{part.url}: what came has the SHA-256 {found}, not {part.sha256}, and was thrown away; "
            "try again, and give another address with --url if it happens again"
        )
    if data[where] != identifier:
        part.remove()
        raise DownloadError(f"{part.url} is no .tflite file, and was thrown away; give another address with --url")
    part.path.replace(target)
    part.remove()
    return Downloaded(len(data), found, resumed)


def _interrupted(part: _Part, total: int | None) -> DownloadError:
    size = part.path.stat().st_size
    of = f" of {total:,}" if total is not None else ""
    return DownloadError(
        f"{part.url}: the connection broke after {size:,}{of} bytes; run the same command again, it goes on from there"
    )


def _unreachable(url: str, reason: object) -> DownloadError:
    host = urllib.parse.urlsplit(url).hostname
    text = getattr(reason, "strerror", None) or reason
    return DownloadError(
        f"cannot reach {host}: {text}; connect to the network (https_proxy is obeyed) or give a mirror with --url"
    )


@contextmanager
def _alone(part: _Part) -> Iterator[None]:
    """One process at a time writes the part; the lock goes with the process. Makes the file; removes an empty one."""
    with part.path.open("ab") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DownloadError(f"another process downloads {part.path.stem}; wait until it is done") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if part.path.stat().st_size == 0:
                    part.remove()
