"""The settings that one training takes over from the study of another."""

from pathlib import Path
from typing import Any

from automl.app.study_settings import SPLITS
from automl.study.config import StudyConfig
from automl.trainers.table import trainer_entry

__all__ = ["inherited"]


def inherited(config: StudyConfig, spec: Path) -> dict[str, Any]:
    """The settings of a study as they are for one training: setting name to typed value.

    Args:
        config: The study's configuration.
        spec: The complete spec of the trial that is taken over.
    """
    ids = config.resources.gpu_ids
    settings: dict[str, Any] = {
        "skill_dir": Path(config.skill_dir),
        "spec": spec,
        "metric": config.objective.metric,
        "direction": config.objective.direction,
        "seed": config.search.seed,
        "trainer": config.trainer,
        "keep": config.keep,
        "gpus_per_trial": config.resources.gpus_per_trial,
        "gpus": None if ids is None else tuple(map(str, ids)),
        **{f"{split}_data": getattr(config.data, split) or None for split in SPLITS},
    }
    settings |= trainer_entry(config.trainer).as_settings(config.trainer_options)
    return {name: value for name, value in settings.items() if value is not None}
