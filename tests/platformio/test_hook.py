# SPDX-License-Identifier: Apache-2.0
"""The hook in somebody else's project: models before sources, again only when something changed, clear messages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from platformio_builds import ROOT, Product, interpreter, pio
from runnel.boards import load_board
from runnel.build.elf import symbol_bytes
from runnel.build.linker import write_linker_script
from runnel.run.process import run_program
from runnel.run.qemu import qemu_command
from small_model import small_classifier_bytes

MAIN = """
#include "{first}.h"
#include "{second}.h"
#include "platform.h"

int main(void)
{{
	const int first = {first}_selftest();
	const int second = {second}_selftest();
	platform_print(first == RUNNEL_OK && second == RUNNEL_OK ? "both ok\\n" : "wrong\\n");
	return first + second;
}}
"""


@pytest.fixture
def product(tmp_path: Path) -> Product:
    pio()
    (tmp_path / "small.tflite").write_bytes(small_classifier_bytes())
    return Product(tmp_path)


def make_runnable(product: Product) -> None:
    """Gives the product the start-up and the memories of an emulated board: the stand-in has none."""
    source = product.folder / "src"
    source.mkdir()
    for name in ("startup/startup.c", "harness/platform.h", "harness/platform_semihosting.c", "harness/print_number.h",
                 "harness/timer.h"):  # fmt: skip
        shutil.copy(ROOT / "boards" / name, source)
    script = write_linker_script(load_board("qemu-m7"), 8192, product.folder)
    product.options["build_flags"] = f"-nostartfiles -Wl,-T,{script}"


def run_in_qemu(product: Product) -> tuple[int, tuple[str, ...]]:
    command = qemu_command(load_board("qemu-m7"), product.elf, count_instructions=False)
    finished = run_program(command, product.folder, timeout_s=60)
    return finished.exit_code, finished.lines


@pytest.mark.parametrize("shared", ["", "common"])
def test_two_models_run_in_a_product(product: Product, shared: str) -> None:
    make_runnable(product)
    models = "\n    one = small.tflite board=qemu-m7\n    two = 'small.tflite' objective=flash board=qemu-m7"
    product.write(
        MAIN.format(first="one", second="two"), custom_runnel_models=models, custom_runnel_shared_arena=shared
    )
    ran = product.run()
    assert ran.exit_code == 0, ran.output
    assert "warning" not in ran.output.lower(), ran.output
    assert run_in_qemu(product) == (0, ("both ok",))
    if shared:
        assert symbol_bytes(product.elf, "common_arena") >= symbol_bytes(product.elf, "one_arena")  # type: ignore[operator]
        addresses = subprocess.run(["arm-none-eabi-nm", product.elf], capture_output=True, text=True).stdout
        ours = {line.split()[0] for line in addresses.splitlines() if line.endswith(("one_arena", "two_arena"))}
        assert len(ours) == 1, "the models' arenas are not at one address"


def test_kernels_are_compiled_for_speed_whatever_the_project_sets(product: Product) -> None:
    main = '#include "net.h"\nint main(void) { return net_selftest(); }\n'
    product.write(main, custom_runnel_models="net = small.tflite", build_flags="-Og", lib_ldf_mode="off")
    ran = product.run("-v")
    assert ran.exit_code == 0, ran.output
    commands = [line for line in ran.output.splitlines() if "net/net.o" in line and "-c" in line]
    optimise = [word for word in commands[0].split() if word.startswith("-O")]
    assert optimise[-1] == "-O3", optimise


def test_compiles_again_only_when_something_changed(product: Product) -> None:
    product.write(
        '#include "net.h"\nint main(void) { return net_selftest(); }\n', custom_runnel_models="net = small.tflite"
    )

    def says() -> str:
        ran = product.run()
        assert ran.exit_code == 0, ran.output
        return ran.lines("Runnel: net")[0].rsplit(", ", 1)[1] + (", built" if "Compiling" in ran.output else "")

    assert says() == "compiled, built"
    assert says() == "up to date"
    os.utime(product.folder / "small.tflite")
    assert says() == "compiled"  # the same C again: nothing to build


def test_the_packed_library_is_complete(product: Product) -> None:
    """What `lib_deps = <URL>` installs, with the path of the hook that docs/platformio.md names."""
    pack = (
        "import sys\n"
        "from platformio.package.manifest import schema\n"
        "from platformio.package.pack import PackagePacker\n"
        "known = {'licenses': [{'licenseId': 'Apache-2.0'}]}\n"
        "schema.ManifestSchema.load_spdx_licenses = staticmethod(lambda: known)  # the list is on the network\n"
        "PackagePacker(sys.argv[1]).pack(sys.argv[2])\n"
    )
    archive = product.folder / "runnel.tar.gz"
    done = subprocess.run([interpreter(pio()), "-c", pack, ROOT, archive], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    assert {"library.json", "LICENSE", "boards/platformio/runnel.py", "generator/runnel/__main__.py"} <= set(names)
    assert not [name for name in names if ".pio" in name or "__pycache__" in name or name.startswith("tests")]
    product.write(
        '#include "net.h"\n#include "runnel/audio/features.h"\nint main(void) { return net_selftest(); }\n',
        lib_deps=f"file://{archive}",
        extra_scripts="pre:.pio/libdeps/$PIOENV/Runnel/boards/platformio/runnel.py",
        custom_runnel_models="net = small.tflite",
    )
    ran = product.run()
    assert ran.exit_code == 0, ran.output
    stamp = (product.build / "runnel" / "net" / "platformio-stamp.json").read_text()
    assert str(product.folder / ".pio" / "libdeps") in stamp, "another generator than the library's was used"
    assert str(ROOT / "generator") not in stamp


MISTAKES = {
    "two names": (
        {"custom_runnel_models": "\n    net = small.tflite\n    net = other.tflite"},
        ["two models are called net", "small.tflite", "other.tflite", "net_run"],
    ),
    "unknown board": (
        {"custom_runnel_models": "net = small.tflite", "board": "unknown_to_runnel"},
        ["unknown board 'unknown_to_runnel'", "stm32f746", ".yaml"],
    ),
    "too little memory": (
        {"custom_runnel_models": "net = small.tflite sram=100"},
        ["model net", "more than the 100 bytes", "platformio.ini"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_end_the_build_with_a_message(product: Product, mistake: str) -> None:
    options, expected = MISTAKES[mistake]
    shutil.copy(product.folder / "small.tflite", product.folder / "other.tflite")
    product.write("int main(void) { return 0; }\n", **options)
    ran = product.run()
    assert ran.exit_code != 0
    assert "Traceback" not in ran.output, ran.output
    message = ran.output[ran.output.index("Error: Runnel:") :]
    for text in expected:
        assert text in message, message


def test_python_without_the_packages(product: Product) -> None:
    """-S: no site-packages, as in PlatformIO's own environment."""
    bare = product.folder / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    product.write("int main(void) { return 0; }\n", custom_runnel_models="net = small.tflite")
    ran = product.run(RUNNEL_PYTHON=str(bare))
    assert ran.exit_code != 0
    assert "Traceback" not in ran.output
    assert "RUNNEL_PYTHON" in ran.output
    assert f"{bare} -m pip install" in ran.output, ran.output
