"""The trials that are kept current: what the storage holds, however it was written there."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, TypeVar

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from automl.search.trial_cache import TrialCache
from automl.study import attributes
from automl.study.grouped_journal import GroupedJournal
from automl.study.storage_layer import StorageLayer
from automl.study.trial_writes import Draw, SystemNote, TrialWrite, UserNote, ValueOfEpoch
from tests.power import Disk, DiskBackend

_Result = TypeVar("_Result")

STORAGES: dict[str, Callable[[], BaseStorage]] = {
    "memory": InMemoryStorage,
    "journal": lambda: JournalStorage(DiskBackend(Disk())),
    "grouped": lambda: GroupedJournal(DiskBackend(Disk())),
}
LR = FloatDistribution(1e-5, 1.0, log=True)
NET = CategoricalDistribution(("a", "b"))


def opened(storage: BaseStorage) -> TrialCache:
    """The only study of a storage, made if it is not there, with its trials kept."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, study_name="kept", load_if_exists=True)
    return TrialCache(study)


def queued(cache: TrialCache, number: int) -> int:
    """A trial of the queue; the storage's name of it."""
    study = cache.get_study_id_from_name("kept")
    template = optuna.trial.create_trial(
        state=TrialState.WAITING,
        user_attrs={attributes.NUMBER: number},
        system_attrs={"fixed_params": {"net": "a"}},
    )
    return cache.create_new_trial(study, template)


def seen(trial: FrozenTrial) -> tuple[Any, ...]:
    """All of a trial but its times."""
    values = {epoch: repr(value) for epoch, value in trial.intermediate_values.items()}
    return (
        trial.number, trial._trial_id, trial.state, trial.values, trial.params,
        trial.distributions, trial.user_attrs, trial.system_attrs, values,
    )  # fmt: skip


def write_of(trial_id: int, kind: int, pick: int) -> TrialWrite:
    """One of the writes to a trial."""
    number = (0.5, 3.0, -0.0, 1e-300, 1e300)[pick % 5]
    return (
        Draw(trial_id, "lr", 10.0 ** -(1 + pick % 4), LR),
        Draw(trial_id, "net", pick % 2, NET),
        UserNote(trial_id, f"note{pick % 3}", {"epoch": pick, "words": ["x", "ü"]}),
        SystemNote(trial_id, f"word{pick % 2}", [pick, None]),
        ValueOfEpoch(trial_id, pick % 3, number),
    )[kind]


STEPS = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=6), min_size=1, max_size=6
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", STORAGES)
@settings(max_examples=25, deadline=None)
@given(STEPS, st.booleans())
def test_what_is_kept_is_what_the_storage_holds(
    kind: str, steps: Sequence[Sequence[tuple[int, int]]], is_together: bool
) -> None:
    storage = STORAGES[kind]()
    cache = opened(storage)
    for number, step in enumerate(steps):
        trial_id, drawn = queued(cache, number), set()
        assert cache.set_trial_state_values(trial_id, TrialState.RUNNING)
        with cache.together() if is_together else nullcontext():
            for which, pick in step:
                write = write_of(trial_id, which, pick)
                if isinstance(write, Draw):
                    # Optuna draws a parameter once.
                    if write.name in drawn:
                        continue
                    drawn.add(write.name)
                write.make(cache)
        assert seen(cache.at(number)) == seen(storage.get_trial(trial_id))
        if number % 2:
            cache.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.25 * number])
    assert [*map(seen, opened(storage).get_all_trials(cache._study_id))] == [
        seen(cache.at(number)) for number in range(len(steps))
    ]


def test_notes_are_made_before_the_state_changes() -> None:
    disk = Disk()
    cache = opened(GroupedJournal(DiskBackend(disk)))
    trial_id = queued(cache, 0)
    cache.set_trial_state_values(trial_id, TrialState.RUNNING)
    n_lines = len(disk.lines)
    with cache.together():
        cache.set_trial_user_attr(trial_id, "seconds", 2.0)
        assert cache.at(0).user_attrs["seconds"] == 2.0
        assert len(disk.lines) == n_lines
        cache.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    assert ["seconds" in line for line in disk.lines[n_lines:]] == [True, False]


class Refuses(StorageLayer):
    """Refuses the next call."""

    is_due = False

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        is_due, self.is_due = self.is_due, False
        if is_due:
            raise OSError("no")
        return method(*values)


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("kind", STORAGES)
def test_what_was_not_written_is_not_kept(kind: str, is_together: bool) -> None:
    storage = Refuses(STORAGES[kind]())
    cache = opened(storage)
    trial_id = queued(cache, 0)
    cache.set_trial_state_values(trial_id, TrialState.RUNNING)
    cache.set_trial_user_attr(trial_id, "first", 1)
    storage.is_due = True
    with pytest.raises(OSError, match="no"), cache.together() if is_together else nullcontext():
        cache.set_trial_user_attr(trial_id, "second", 2)
    assert "second" not in cache.at(0).user_attrs
    storage.is_due = True
    with pytest.raises(OSError, match="no"):
        cache.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    assert seen(cache.at(0)) == seen(storage.get_trial(trial_id))
    assert cache.at(0).state is TrialState.RUNNING


def test_a_block_that_ends_in_an_error_writes_nothing() -> None:
    cache = opened(InMemoryStorage())
    trial_id = queued(cache, 0)
    with suppress(KeyError), cache.together():
        cache.set_trial_user_attr(trial_id, "third", 3)
        raise KeyError
    assert "third" not in cache.at(0).user_attrs


def test_what_others_queue_is_found_when_it_is_looked_for() -> None:
    storage = InMemoryStorage()
    cache = opened(storage)
    queued(cache, 0)
    storage.create_new_trial(cache._study_id, optuna.trial.create_trial(state=TrialState.WAITING))
    queued(cache, 1)
    assert [trial.number for trial in cache.get_all_trials(cache._study_id)] == [0, 1, 2]
    storage.create_new_trial(cache._study_id, optuna.trial.create_trial(state=TrialState.WAITING))
    cache.find_others()
    assert len(cache.get_all_trials(cache._study_id)) == 4
