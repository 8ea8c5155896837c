# SPDX-License-Identifier: Apache-2.0
"""`python -m runnel` is the command `runnel`."""

from runnel.cli import main

if __name__ == "__main__":
    main()
