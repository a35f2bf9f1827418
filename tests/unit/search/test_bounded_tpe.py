"""TPE over a bounded number of trials: the good ones are those of all trials together."""

from collections.abc import Sequence

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.search.bounded_tpe import MOST_ENDED, N_GOOD, BoundedTpeSampler, looked_at

_SPACE: dict[str, BaseDistribution] = {name: FloatDistribution(0.0, 1.0) for name in "xy"}


def trials(n: int, share_pruned: float, seed: int = 0) -> Sequence[FrozenTrial]:
    source, made = np.random.default_rng(seed), []
    for number in range(n):
        params = {name: float(source.random()) for name in _SPACE}
        is_pruned = float(source.random()) < share_pruned
        steps = {step: float(source.random()) for step in range(int(source.integers(1, 6)))}
        trial = create_trial(
            state=TrialState.PRUNED if is_pruned else TrialState.COMPLETE,
            params=params,
            distributions=_SPACE,
            value=None if is_pruned else params["x"],
            intermediate_values=steps,
        )
        trial.number = number
        made.append(trial)
    return made


def study_of(direction: StudyDirection, made: Sequence[FrozenTrial]) -> optuna.Study:
    study = optuna.create_study(direction=direction)
    study.add_trials(made)
    return study


@pytest.mark.parametrize("direction", [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE])
@pytest.mark.parametrize("share_pruned", [0.0, 0.5, 0.99, 1.0])
def test_the_good_trials_are_those_of_all(direction: StudyDirection, share_pruned: float) -> None:
    study = study_of(direction, trials(700, share_pruned))
    ended = study.get_trials(deepcopy=False)
    seen = looked_at(ended, study.direction)
    assert len(seen) == MOST_ENDED
    good, _ = _split_trials(study, ended, default_gamma(len(ended)))
    among_seen, others = _split_trials(study, seen, default_gamma(len(seen)))
    assert [trial.number for trial in good] == [trial.number for trial in among_seen]
    known = {trial.number for trial in good}
    newest = [trial.number for trial in ended if trial.number not in known]
    assert [trial.number for trial in others] == newest[-(MOST_ENDED - N_GOOD) :]


def test_up_to_the_bound_every_trial_is_looked_at() -> None:
    ended = trials(MOST_ENDED, 0.3)
    assert looked_at(ended, StudyDirection.MAXIMIZE) == [*ended]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_up_to_the_bound_proposals_are_those_of_tpe() -> None:
    plain = TPESampler(
        seed=7, n_startup_trials=0, multivariate=True, group=True, constant_liar=True
    )
    found = []
    for sampler in (plain, BoundedTpeSampler(7)):
        study = study_of(StudyDirection.MAXIMIZE, trials(120, 0.2))
        study.sampler = sampler
        study.ask(_SPACE)
        found.append(study.ask(_SPACE).params)
    assert found[0] == found[1]


def test_running_trials_are_seen_beyond_the_bound() -> None:
    study = study_of(StudyDirection.MAXIMIZE, trials(400, 0.2))
    study.sampler = BoundedTpeSampler(3)
    first = study.ask(_SPACE)
    seen = BoundedTpeSampler(3)._bounded(study)._get_trials(deepcopy=False)
    assert len(seen) == MOST_ENDED + 1
    assert seen[-1].number == first.number
