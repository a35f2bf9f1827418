"""``python -m automl.centerpose``."""

import sys

from automl.centerpose.program.cli import main

if __name__ == "__main__":
    sys.exit(main())
