"""Whether a training that is ended has left what it is to go on from."""

from pathlib import Path

from automl.inside import read_file
from automl.jsontext import parse_json
from automl.trainers.contract import PAUSE_NAME, CheckpointName

__all__ = ["has_paused"]

_LONGEST = 4096


def has_paused(folder: Path) -> bool:
    """Whether the checkpoint is there from which the training is asked to go on later.

    What was learnt since is not wanted then: it would be learnt again.

    Args:
        folder: Results folder of the training.
    """
    try:
        with read_file(folder / PAUSE_NAME) as file:
            epoch = parse_json(file.read(_LONGEST))["epoch"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    names = (CheckpointName.parse(path.name) for path in folder.iterdir())
    return any(name is not None and name.epoch == epoch for name in names)
