"""The first proposals of a study that does not exist yet."""

from collections.abc import Mapping

from automl.search.engine import Engine
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig
from automl.study.storage import memory_study

__all__ = ["first_params"]


def first_params(
    space: SearchSpace, config: StudyConfig, count: int
) -> tuple[Mapping[str, ParamValue], ...]:
    """The parameters of the first trials: those a run will start with before it learns anything.

    The engine itself is asked, over a study in memory; nothing is written.

    Args:
        space: What is searched.
        config: Sampler, seed and limits.
        count: Most trials to show; no more are shown than the study has.
    """
    # With the limits of the study: who proposes may reckon with the trials asked for.
    engine = Engine(memory_study(config.objective), space, config)
    most = max(1, min(count, config.limits.trials))
    shown: list[Mapping[str, ParamValue]] = []
    while len(shown) < most and (attempt := engine.ask()) is not None:
        shown.append(attempt.params)
    return tuple(shown)
