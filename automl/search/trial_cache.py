"""The trials of one study as they stand, kept current by what is written to them.

Optuna answers every question by going through all trials, and a database sends those that run each
time. Here what is written to a trial is written to the copy that is kept as well, and a trial is
read again where a write failed: the engine is the only writer of its study. What another program
puts into the queue is found when the queue is looked at. Nothing is known that the storage does
not hold, but for what is held back while several notes are made as one.
"""

import copy
from bisect import insort
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna._typing import JSONSerializable
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.study import attributes
from automl.study.storage_layer import StorageLayer
from automl.study.trial_writes import (
    Draw,
    SystemNote,
    TrialWrite,
    UserNote,
    ValueOfEpoch,
    make_together,
    standing,
)

__all__ = ["TrialCache", "cached"]


class TrialCache(StorageLayer):
    """A storage that remembers the trials of one study; every other study is passed on.

    Args:
        study: The study; this object is its only writer from now on.
    """

    def __init__(self, study: optuna.Study) -> None:
        super().__init__(study._storage)
        self._study_id = study._study_id
        self._trials: list[FrozenTrial] = []
        self._places: dict[int, int] = {}
        self._by_state: dict[OptunaState, set[int]] = {state: set() for state in OptunaState}
        self._grouped: dict[int, list[FrozenTrial]] = {}
        self._numbers: list[int] = []
        self._stale: dict[int, None] = {}
        self._changed: list[int] = []
        self._held: list[TrialWrite] | None = None
        for trial in self._inner.get_all_trials(self._study_id, deepcopy=False):
            self._add(trial)

    # Looking

    def grouped(self) -> Mapping[int, Sequence[FrozenTrial]]:
        """The trials of each logical number, oldest first; as they stand, until the next write."""
        self._refresh()
        return self._grouped

    def numbers(self) -> Sequence[int]:
        """Every logical number, in order; until the next write."""
        self._refresh()
        return self._numbers

    def at(self, place: int) -> FrozenTrial:
        """The trial of Optuna's number ``place``."""
        self._refresh()
        return self._trials[place]

    def changes(self, since: int) -> tuple[Iterable[int], int]:
        """The logical numbers whose trials have changed, and where to look from the next time.

        Args:
            since: Where an earlier call ended; 0 for everything.
        """
        self._refresh()
        return dict.fromkeys(self._changed[since:]), len(self._changed)

    def find_others(self) -> None:
        """Takes in what another program has put into the queue."""
        while (trial_id := self._id_of(len(self._trials))) is not None:
            self._add(self._inner.get_trial(trial_id))

    # Keeping current

    def _add(self, trial: FrozenTrial) -> None:
        self._places[trial._trial_id] = trial.number
        self._trials.append(trial)
        self._by_state[trial.state].add(trial.number)
        self._enter(trial)

    def _refresh(self) -> None:
        if self._stale:
            self._make_held()
        for trial_id in self._stale:
            self._replace(self._inner.get_trial(trial_id))
        self._stale.clear()

    def _replace(self, trial: FrozenTrial) -> None:
        before = self._trials[trial.number]
        self._trials[trial.number] = trial
        self._by_state[before.state].discard(trial.number)
        self._by_state[trial.state].add(trial.number)
        number = _logical(before)
        if number == _logical(trial) and number is not None:
            group = self._grouped[number]
            place = next(i for i, each in enumerate(group) if each.number == trial.number)
            group[place] = trial
            self._changed.append(number)
            return
        self._leave(before)
        self._enter(trial)

    def _enter(self, trial: FrozenTrial) -> None:
        number = _logical(trial)
        if number is None:
            return
        group = self._grouped.get(number)
        if group is None:
            self._grouped[number] = [trial]
            insort(self._numbers, number)
        else:
            insort(group, trial, key=lambda each: each.number)
        self._changed.append(number)

    def _leave(self, trial: FrozenTrial) -> None:
        number = _logical(trial)
        if number is None:
            return
        group = self._grouped[number]
        group[:] = [each for each in group if each.number != trial.number]
        if not group:
            del self._grouped[number]
            self._numbers.remove(number)
        self._changed.append(number)

    # What Optuna asks

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial."""
        place = self._places.get(trial_id)
        return super().get_trial(trial_id) if place is None else self.at(place)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[OptunaState] | None = None,
    ) -> list[FrozenTrial]:
        """The trials of a study, in these states or all of them, by number."""
        if study_id != self._study_id:
            return super().get_all_trials(study_id, deepcopy, states)
        self._refresh()
        found = self._trials[:] if states is None else self._in(states)
        return copy.deepcopy(found) if deepcopy else found

    def _in(self, states: Container[OptunaState]) -> list[FrozenTrial]:
        sets = (places for state, places in self._by_state.items() if state in states)
        return [self._trials[place] for place in sorted(set().union(*sets))]

    # What Optuna writes

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Makes a trial."""
        self._make_held()
        trial_id = super().create_new_trial(study_id, template_trial)
        if study_id == self._study_id and not self._add_made(trial_id, template_trial):
            self.find_others()
        return trial_id

    def _add_made(self, trial_id: int, template: FrozenTrial | None) -> bool:
        """Takes in the trial that was made, as it was asked for, if no other one came before."""
        number = len(self._trials)
        if template is None or self._id_of(number) != trial_id:
            return False
        made = copy.deepcopy(template)
        made.number, made._trial_id = number, trial_id
        self._add(made)
        return True

    def _id_of(self, number: int) -> int | None:
        find = self._inner.get_trial_id_from_study_id_trial_number
        try:
            return find(self._study_id, number)
        except KeyError:
            return None

    def set_trial_state_values(
        self, trial_id: int, state: OptunaState, values: Sequence[float] | None = None
    ) -> bool:
        """Where a trial stands."""
        self._make_held()
        place = self._places.get(trial_id)
        if place is None:
            return super().set_trial_state_values(trial_id, state, values)
        is_known = trial_id not in self._stale
        # Should it fail, whatever came of it is read before the trial is looked at.
        self._stale[trial_id] = None
        is_set = super().set_trial_state_values(trial_id, state, values)
        if is_set and is_known:
            del self._stale[trial_id]
            self._replace(standing(self._trials[place], state, values))
        return is_set

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Notes a draw."""
        self._write(Draw(trial_id, param_name, param_value_internal, distribution))

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Notes a value of an epoch."""
        self._write(ValueOfEpoch(trial_id, step, intermediate_value))

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Notes something on a trial."""
        self._write(UserNote(trial_id, key, value))

    def set_trial_system_attr(self, trial_id: int, key: str, value: JSONSerializable) -> None:
        """Notes something of Optuna's on a trial."""
        self._write(SystemNote(trial_id, key, value))

    def set_together(self, writes: Sequence[TrialWrite]) -> None:
        """Notes several things on trials."""
        for write in writes:
            self._write(write)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes what is noted on trials within the block at its end, as one write where it can be.

        It is made before a trial of the study is created, or changes its state.
        """
        self._held = []
        try:
            yield
            self._make_held()
        finally:
            # None are left but where something was raised.
            self._doubt(self._held)
            self._held = None

    def _write(self, write: TrialWrite) -> None:
        """Makes a write, or holds it back; where it fails the trial is read again."""
        place = self._places.get(write.trial_id)
        if place is None:
            write.make(self._inner)
            return
        if self._held is None:
            self._make([write])
        else:
            self._held.append(write)
        self._replace(write.applied(self._trials[place]))

    def _make_held(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._make(held)

    def _make(self, writes: Sequence[TrialWrite]) -> None:
        try:
            make_together(self._inner, writes)
        except BaseException:
            self._doubt(writes)
            raise

    def _doubt(self, writes: Sequence[TrialWrite]) -> None:
        self._stale |= dict.fromkeys(write.trial_id for write in writes)


def _logical(trial: FrozenTrial) -> int | None:
    number = trial.user_attrs.get(attributes.NUMBER)
    return None if number is None else int(number)


def cached(study: optuna.Study) -> tuple[optuna.Study, TrialCache]:
    """The same study over a storage that remembers its trials."""
    storage = TrialCache(study)
    known = optuna.load_study(
        study_name=study.study_name,
        storage=storage,
        sampler=study.sampler,
        pruner=study.pruner,
    )
    return known, storage
