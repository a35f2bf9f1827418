"""Pictures of ``automl watch`` for the documentation, from a study that runs.

    python -m tests.bench.watch_images STUDY_FOLDER docs/images

writes ``watch-80.svg`` and ``watch-140.svg``: what a terminal of so many columns shows at this
moment, in letters of the reader's own.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from automl.cli.followed import FollowedStudy
from automl.cli.picture import WATCHER_KEYS, render
from automl.study.layout import StudyPaths

WIDTHS = (80, 140)
_LETTERS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def draw(study: FollowedStudy, folder: Path) -> list[Path]:
    """Writes the pictures of a study as it stands now."""
    snapshot, written = study.snapshot(), []
    for width in WIDTHS:
        console = Console(
            file=io.StringIO(), width=width, record=True, markup=False, highlight=False
        )
        console.print(render(snapshot, width, WATCHER_KEYS))
        svg = console.export_svg(title=f"automl watch {snapshot.config.name}")
        svg = _LETTERS.sub("", svg).replace("Fira Code", "ui-monospace")
        path = folder / f"watch-{width}.svg"
        path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")
        written.append(path)
    return written


if __name__ == "__main__":
    for made in draw(FollowedStudy(StudyPaths(Path(sys.argv[1]).absolute())), Path(sys.argv[2])):
        print(made)
