# SPDX-License-Identifier: Apache-2.0
"""Keyword spotting measured as it is used: on streams, with the device's own code. See docs/keyword-spotting.md."""
