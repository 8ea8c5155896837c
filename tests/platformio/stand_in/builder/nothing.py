# SPDX-License-Identifier: Apache-2.0
"""A framework that adds nothing."""
