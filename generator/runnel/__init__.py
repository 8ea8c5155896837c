# SPDX-License-Identifier: Apache-2.0
"""Runnel compiles int8 TFLite models to C for one microcontroller."""

__version__ = "0.1.0"
