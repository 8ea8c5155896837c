# SPDX-License-Identifier: Apache-2.0
"""Random models: single operators and small graphs, for comparing generated C with the oracle."""
