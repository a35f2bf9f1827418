"""``--detach``: a study driven in the background, in a session and with a log of its own.

The command starts itself again without the flag, waits until the study is there, and says how to
watch and stop it. What goes wrong before that is shown as if nothing had been detached.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from automl.cli.paths import shown
from automl.study.layout import StudyPaths

__all__ = ["CHANNEL", "detach", "is_detached"]

FLAG = "--detach"
#: The descriptor on which the driver in the background says which study it drives.
CHANNEL = "AUTOML_DETACHED"


def is_detached() -> bool:
    """Whether this process drives in the background."""
    return CHANNEL in os.environ


def detach(argv: Sequence[str]) -> int:
    """Starts the command in the background; 0 once its study is driven, else its exit code.

    Args:
        argv: The arguments after the program's name, the flag among them.
    """
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as early:
        driver = subprocess.Popen(
            [sys.executable, "-P", "-m", "automl", *(word for word in argv if word != FLAG)],
            stdin=subprocess.DEVNULL,
            stdout=early,
            stderr=early,
            env=os.environ | {CHANNEL: str(writing)},
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        try:
            with open(reading, encoding="utf-8") as channel:  # noqa: PTH123 -- a descriptor
                folder = channel.read()
        except KeyboardInterrupt:
            driver.terminate()
            raise
        _show(early)
        if not folder:
            return driver.wait()
    # It goes on by itself: nobody here waits for its end.
    driver.returncode = 0
    print(_how_to_go_on(StudyPaths(Path(folder)), driver.pid))
    return 0


def _show(early: IO[bytes]) -> None:
    early.seek(0)
    sys.stderr.write(early.read().decode(errors="replace"))


def _how_to_go_on(paths: StudyPaths, pid: int) -> str:
    name, place = paths.folder.name, f"--studies-dir {shown(paths.folder.parent)}"
    return (
        f"{name} runs in the background (process {pid})\n"
        f"watch      automl watch {name} {place}; tail -f {shown(paths.driver_log)}\n"
        f"stop       automl stop {name} {place}; --now ends the running trials too"
    )
