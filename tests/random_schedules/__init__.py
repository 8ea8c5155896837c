# SPDX-License-Identifier: Apache-2.0
"""Random networks under random schedules: every way to cut and stream them must give the same bytes."""
