"""``python -m automl.centerpose``."""

import io
import sys

from automl.centerpose.program.cli import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold what the stream's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
