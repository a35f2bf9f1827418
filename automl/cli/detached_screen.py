"""What a driver in the background shows: event lines in the log of its study."""

import os
import sys

from automl.cli.background import CHANNEL
from automl.cli.events import EventScreen
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths

__all__ = ["DetachedScreen"]


class DetachedScreen(EventScreen):
    """Event lines in the study's own log, from when the study is there."""

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Moves the output into the log, and tells who detached it."""
        log = os.open(paths.driver_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sys.stdout.flush()
        sys.stderr.flush()
        for standard in (1, 2):
            os.dup2(log, standard)
        os.close(log)
        channel = int(os.environ.pop(CHANNEL))
        os.write(channel, str(paths.folder).encode())
        os.close(channel)
        super().opened(paths, config)
