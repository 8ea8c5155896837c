# SPDX-License-Identifier: Apache-2.0
"""`runnel zoo fetch` against a server on this computer that breaks off, lies and refuses."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runnel.cli import execute
from runnel.zoo.download import DownloadError, download_model
from runnel.zoo.published import Published, published_files

CONTENT = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 1200
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """What it does and what it was asked. send: break off after so many bytes, None for all."""

    url: str = ""
    content: bytes = CONTENT
    send: int | None = None
    ranges: bool = True
    tag: str | None = '"one"'
    status: int = 200
    wait: float = 0.0
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if state.status != 200:
                self.send_error(state.status)
                return
            same = self.headers.get("If-Range") in (None, state.tag)
            first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and state.ranges and same else 0
            if first >= len(state.content):
                self.send_error(416)
                return
            rest = state.content[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(rest)))
            if state.tag is not None:
                self.send_header("ETag", state.tag)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(state.content) - 1}/{len(state.content)}")
            self.end_headers()
            self.wfile.write(rest[: state.send])
            self.wfile.flush()
            time.sleep(state.wait)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}/net.tflite"
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        http.shutdown()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "net.tflite"


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_whole_file_and_its_checksum(server: Server, target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    result = download_model(server.url, target, CHECKSUM, lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert (result.bytes, result.sha256, result.resumed) == (len(CONTENT), CHECKSUM, 0)
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT))
    assert left(target) == ["net.tflite"]


@pytest.mark.parametrize("checksum", [CHECKSUM, None])
def test_interrupted_download_goes_on_where_it_stopped(server: Server, target: Path, checksum: str | None) -> None:
    server.send = 100_000
    with pytest.raises(DownloadError, match=r"broke after 100,000 of .* run the same command again"):
        download_model(server.url, target, checksum)
    assert not target.exists()
    server.send = None
    result = download_model(server.url, target, checksum)
    assert server.asked == [None, "bytes=100000-"]
    assert result.resumed == 100_000
    assert target.read_bytes() == CONTENT
    assert left(target) == ["net.tflite"]


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(server: Server, target: Path) -> None:
    server.send = 100_000
    with pytest.raises(DownloadError):
        download_model(server.url, target, None)
    server.send, server.tag = None, '"two"'
    server.content = CONTENT[:8] + b"changed" + CONTENT
    assert download_model(server.url, target, None).resumed == 0
    assert target.read_bytes() == server.content


def test_without_checksum_and_tag_nothing_is_spliced(server: Server, target: Path) -> None:
    server.send, server.tag = 100_000, None
    with pytest.raises(DownloadError):
        download_model(server.url, target, None)
    server.send = None
    download_model(server.url, target, None)
    assert server.asked == [None, None]
    assert target.read_bytes() == CONTENT


def test_another_address_does_not_continue_the_part(server: Server, target: Path) -> None:
    server.send = 100_000
    with pytest.raises(DownloadError):
        download_model(server.url, target, CHECKSUM)
    server.send = None
    download_model(server.url + "?mirror", target, CHECKSUM)
    assert server.asked == [None, None]
    assert target.read_bytes() == CONTENT


def test_server_without_range(server: Server, target: Path) -> None:
    server.send, server.ranges = 100_000, False
    with pytest.raises(DownloadError):
        download_model(server.url, target, CHECKSUM)
    server.send = None
    assert download_model(server.url, target, CHECKSUM).resumed == 0
    assert server.asked == [None, "bytes=100000-"]
    assert target.read_bytes() == CONTENT


def test_a_part_longer_than_the_file(server: Server, target: Path) -> None:
    server.send = 100_000
    with pytest.raises(DownloadError):
        download_model(server.url, target, CHECKSUM)
    with (target.parent / "net.tflite.part").open("ab") as part:
        part.write(bytes(len(CONTENT)))
    server.send = None
    download_model(server.url, target, CHECKSUM)
    assert target.read_bytes() == CONTENT


def test_wrong_checksum_is_refused_and_nothing_is_left(server: Server, target: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match="thrown away"):
        download_model(server.url, target, CHECKSUM)
    assert left(target) == []


def test_wrong_checksum_leaves_an_older_file_alone(server: Server, target: Path) -> None:
    target.write_bytes(b"older")
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError):
        download_model(server.url, target, CHECKSUM)
    assert target.read_bytes() == b"older"
    assert left(target) == ["net.tflite"]


def test_a_web_page_is_no_model(server: Server, target: Path) -> None:
    server.content = b"<html>log in first</html>"
    with pytest.raises(DownloadError, match=r"no \.tflite file"):
        download_model(server.url, target, None)
    assert left(target) == []


def test_a_file_too_large_is_refused(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runnel.zoo.download.LARGEST_FILE_BYTES", 1000)
    with pytest.raises(DownloadError, match="1,000 bytes"):
        download_model(server.url, target, None)
    assert left(target) == []


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_refusing_server(server: Server, target: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=f"answers {status}"):
        download_model(server.url, target, CHECKSUM)
    assert left(target) == []


def test_no_network(target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"cannot reach 127\.0\.0\.1"):
        download_model(f"http://127.0.0.1:{port}/net.tflite", target, CHECKSUM)
    assert left(target) == []


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/passwd", "nonsense", "http://a b/"])
def test_addresses_that_are_none(url: str, target: Path) -> None:
    with pytest.raises(DownloadError, match="https://"):
        download_model(url, target, CHECKSUM)
    assert left(target) == []


def test_a_folder_that_cannot_be_written(server: Server, target: Path) -> None:
    target.write_bytes(b"a file")
    with pytest.raises(DownloadError, match="choose another place"):
        download_model(server.url, target / "net.tflite", CHECKSUM)


def test_one_process_at_a_time(server: Server, target: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    part = target.with_name("net.tflite.part")
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another process"):
            download_model(server.url, target, CHECKSUM)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_keeps_the_part_and_the_next_run_goes_on(server: Server, target: Path) -> None:
    server.send, server.wait = 100_000, 20.0
    command = [sys.executable, "-m", "runnel", "zoo", "fetch", "mcunet-in0", "--url", server.url, "-o", str(target)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    part = target.with_name("net.tflite.part")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert not target.exists() and part.stat().st_size > 0
    server.send, server.wait = None, 0.0
    result = download_model(server.url, target, None)
    assert result.resumed > 0
    assert target.read_bytes() == CONTENT


def test_command_says_what_it_could_not_verify(
    server: Server, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published_files()["mcunet-in0"].sha256 is None
    assert execute(["zoo", "fetch", "mcunet-in0", "--url", server.url, "-o", str(target)]) == 0
    out = capsys.readouterr().out
    assert CHECKSUM in out and "not verified" in out


def test_command_verifies_a_known_checksum(
    server: Server, target: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["zoo", "fetch", "mcunet-in3", "--url", server.url, "-o", str(target)]
    assert execute(arguments) == 2
    assert "thrown away" in capsys.readouterr().err
    monkeypatch.setattr("runnel.cli_zoo.published", lambda name: Published(server.url, CHECKSUM))
    assert execute([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    asked = len(server.asked)
    assert execute(arguments) == 0
    assert "was there already" in capsys.readouterr().out
    assert len(server.asked) == asked


def test_networks_without_published_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["zoo", "fetch", "mbv2-rd"]) == 2
    assert "no weights of mbv2-rd are published" in capsys.readouterr().err


def test_known_checksums_are_those_of_the_files(testdata: Path) -> None:
    for name in ("mcunet-in3", "mcunet-vww1"):
        content = (testdata / "models" / f"{name}.tflite").read_bytes()
        assert published_files()[name].sha256 == hashlib.sha256(content).hexdigest()
