"""How many synthetic images one core makes in a second, files written: prints a table.

python tests/bench/synth_speed.py [IMAGES]
"""

import sys
import tempfile
import time
from pathlib import Path

from automl.data.checks import check_split
from automl.data.synth.make import synthesise
from automl.data.synth.request import PRESETS, SynthRequest


def main(images: int) -> None:
    """Times each preset and format with one worker; CPU time tells what a free core would do."""
    print(f"{'preset':10} {'format':6} {'images':>6} {'per CPU s':>9} {'per s':>7} {'check/s':>8}")
    for preset, difficulty in PRESETS.items():
        for image_format in ("jpg", "png"):
            request = SynthRequest(
                train=images, val=0, image_format=image_format, difficulty=difficulty
            )
            with tempfile.TemporaryDirectory() as folder:
                cpu, wall = time.process_time(), time.perf_counter()
                result = synthesise(request, Path(folder) / "data")
                cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                checked = time.perf_counter()
                check_split(result.splits["train"])
                checked = time.perf_counter() - checked
            print(
                f"{preset:10} {image_format:6} {images:6d} {images / cpu:9.0f}"
                f" {images / wall:7.0f} {images / checked:8.0f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
