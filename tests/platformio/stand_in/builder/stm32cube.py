# SPDX-License-Identifier: Apache-2.0
"""The folders of STM32Cube's headers and sources that the test names in custom_test_cube."""

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
folders = env.GetProjectOption("custom_test_cube", "").split()
env.Append(CPPPATH=folders, CPPDEFINES=["USE_HAL_DRIVER"])
for number, folder in enumerate(env.GetProjectOption("custom_test_cube_sources", "").split()):
    env.BuildSources(f"$BUILD_DIR/cube{number}", folder, ["+<*>", "-<*_template.c>", "-<*/>"])
