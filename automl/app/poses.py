"""``automl poses``: the evaluations that a study still lacks, made when no driver has it."""

from collections.abc import Callable
from pathlib import Path

from automl.app.pose_evaluations import PoseEvaluations, can_evaluate, missing
from automl.errors import FixInput
from automl.execution.control import Control
from automl.skill.read import read_skill
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.storage import read_study
from automl.study.trials import read_records

__all__ = ["complete_poses"]


def complete_poses(paths: StudyPaths, tell: Callable[[str], None]) -> int:
    """Makes what is missing of a study's evaluations; returns how many still are.

    Args:
        paths: The study.
        tell: Called with a sentence about what begins and what has failed.

    Raises:
        FixInput: The study has no trial, or its trainer evaluates nothing.
        ResolveConflict: A driver has the study.
    """
    config = read_config(paths)
    skill = read_skill(Path(config.skill_dir))
    study = read_study(paths, config)
    records = () if study is None else read_records(study, config.objective)
    if not can_evaluate(config, skill):
        raise FixInput(
            "poses must come from a search whose trainer can evaluate, on validation data",
            got=f"the trainer {config.trainer}, policy {config.policy}",
            where=str(paths.folder),
        )
    if not missing(paths, config, records):
        return 0
    with StudyLock(paths) as lock:
        lock.heartbeat()
        control = Control(paths.stop, tell, held=False)
        with control.handling_signals():
            PoseEvaluations(paths, config, control, tell).at_end(records)
    return len(missing(paths, config, records))
