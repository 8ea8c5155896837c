# SPDX-License-Identifier: Apache-2.0
"""Sound on the host: the device's own feature code, called through ctypes, and the tables that it is built from."""
