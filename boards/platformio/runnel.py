# SPDX-License-Identifier: Apache-2.0
"""The hook that compiles models in a PlatformIO build, before the sources: `extra_scripts = pre:<here>/runnel.py`.

docs/platformio.md lists the options of platformio.ini that it reads (custom_runnel_models and others).
"""

import inspect
import sys
from pathlib import Path

from SCons.Script import Import

Import("env")

_HERE = Path(inspect.getframeinfo(inspect.currentframe()).filename).resolve().parent
if str(_HERE) not in sys.path:
    sys.path.insert(0, str(_HERE))

from runnel_platformio.hook import add_models  # noqa: E402

add_models(env)  # noqa: F821
