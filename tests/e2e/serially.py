"""``python -m tests.e2e.serially ...``: the command line, its searches one trial at a time.

For kills in numbers: a search without Ray starts in a second.
"""

import sys

from automl.cli.main import main
from automl.execution import ray_driver, serial

if __name__ == "__main__":
    ray_driver.drive = serial.drive
    sys.exit(main(sys.argv[1:]))
