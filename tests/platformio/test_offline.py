# SPDX-License-Identifier: Apache-2.0
"""scripts/platformio_offline.py: never hangs, lays out what PlatformIO accepts, leaves the user's folder alone."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platformio_builds import ROOT, environment, interpreter, pio

SCRIPT = ROOT / "scripts" / "platformio_offline.py"


def python(code: str, **variables: str) -> str:
    """What `code` prints in PlatformIO's Python, with the script imported as `offline`."""
    head = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import platformio_offline as offline\n"
    done = subprocess.run(
        [interpreter(pio()), "-c", head + code],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def registry(name: str) -> Iterator[str]:
    """A server that answers as the registry does, about the package `name`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"name": name}).encode())

        def log_message(self, *args: object) -> None:
            del args

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("name", "answers"), [("tool-scons", True), ("a login page", False)])
def test_an_answer_must_be_the_registrys(name: str, answers: bool) -> None:
    with registry(name) as url:
        assert python(f"print(offline.registry_answers({url!r}))", no_proxy="127.0.0.1") == str(answers)


def test_a_registry_that_hangs_costs_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        start = time.monotonic()
        assert python(f"print(offline.registry_answers({url!r}, 1.0))", no_proxy="127.0.0.1") == "False"
        assert time.monotonic() - start < 30


def test_platformio_accepts_what_is_laid_out(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        f"packages = Path({str(tmp_path)!r})\n"
        "assert not offline.has_scons(packages)\n"
        "offline.lay_out(packages)\n"
        "assert offline.has_scons(packages)\n"
        "offline.lay_out(packages)\n"
        "print(*sorted(p.name.split('@')[0] for p in packages.iterdir()))\n"
    )
    assert python(code) == "tool-scons tool-scons"
    version = subprocess.run(
        [interpreter(pio()), tmp_path / "tool-scons" / "scons.py", "--version"], capture_output=True, text=True
    )
    assert "SCons" in version.stdout


def test_only_an_offline_checkout_uses_a_folder_of_its_own(tmp_path: Path) -> None:
    """The script as setup runs it, in a copy of the checkout: nothing with a registry, a core folder without one."""
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    home = tmp_path / "home"
    home.mkdir()
    head = f"import sys; sys.path.insert(0, {str(script.parent)!r}); import platformio_offline as offline\n"

    def run(answers: bool) -> subprocess.CompletedProcess[str]:
        code = f"{head}offline.registry_answers = lambda: {answers}\nsys.exit(offline.main())"
        variables = {k: v for k, v in environment(HOME=str(home)).items() if k != "PLATFORMIO_CORE_DIR"}
        return subprocess.run(
            [interpreter(pio()), "-c", code], env=variables, capture_output=True, text=True, timeout=120
        )

    done = run(True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / ".cache").exists()
    done = run(False)
    assert done.returncode == 0, done.stderr
    assert "cannot be reached" in done.stderr
    assert "core_dir = .cache/platformio/core" in (tmp_path / ".cache" / "platformio" / "offline.ini").read_text()
    assert (tmp_path / ".cache" / "platformio" / "core" / "packages" / "tool-scons" / "scons.py").is_file()
    assert not (home / ".platformio").exists()
    done = run(False)
    assert (done.returncode, done.stderr) == (0, ""), "done once is enough"
