"""What each line of a study's journal must be: one of Optuna's operations, on what exists by then.

Optuna replays a journal without looking at it closely: a record that lacks a field ends in a
``KeyError``, a value of another type is taken over and breaks whoever reads it later, and an
operation on a trial that no line makes is passed over, so that a lost line moves every later trial
by one. Here each line is looked at before Optuna sees it.
"""

from collections.abc import Mapping
from typing import Any, Final

from automl.study import attributes
from automl.study.operation_forms import (
    ATTRIBUTE,
    COUNT,
    DIRECTIONS,
    DISTRIBUTION,
    DISTRIBUTIONS,
    ENTRY,
    EPOCH,
    MAPPING,
    NUMBER,
    NUMBERS,
    STATE,
    STEPS,
    TEXT,
    TIME,
    FieldRule,
    distribution_of,
    optional,
    shortened,
)

__all__ = ["JournalCheck", "check_attributes"]

_CREATE_STUDY, _DELETE_STUDY, _CREATE_TRIAL, _SET_PARAM, _SET_STATE = 0, 1, 4, 5, 6
#: Of another program that writes Optuna's journals; Optuna passes over it.
_DISCARD: Final = 10
#: Optuna's states of a trial, as the journal holds them.
_RUNNING, _COMPLETE, _WAITING = 0, 1, 4
#: Where Optuna keeps the values of a trial that was put into the queue.
_OPTUNA_FIXED: Final = "fixed_params"

#: The fields that an operation needs, by its code.
_FIELDS: Final[Mapping[int, Mapping[str, FieldRule]]] = {
    _CREATE_STUDY: {"study_name": TEXT, "directions": DIRECTIONS},
    _DELETE_STUDY: {"study_id": COUNT},
    2: {"study_id": COUNT, "user_attr": ENTRY},
    3: {"study_id": COUNT, "system_attr": ENTRY},
    _CREATE_TRIAL: {"study_id": COUNT, "datetime_start": optional(TIME)},
    _SET_PARAM: {
        "trial_id": COUNT,
        "param_name": TEXT,
        "param_value_internal": NUMBER,
        "distribution": DISTRIBUTION,
    },
    _SET_STATE: {"trial_id": COUNT, "state": STATE, "values": optional(NUMBERS)},
    7: {"trial_id": COUNT, "step": EPOCH, "intermediate_value": NUMBER},
    8: {"trial_id": COUNT, "user_attr": ENTRY},
    9: {"trial_id": COUNT, "system_attr": ENTRY},
    _DISCARD: {},
}
#: What a trial may be made with.
_OF_NEW_TRIAL: Final[Mapping[str, FieldRule]] = {
    "state": STATE,
    "value": optional(NUMBER),
    "values": optional(NUMBERS),
    "datetime_complete": optional(TIME),
    "distributions": DISTRIBUTIONS,
    "params": MAPPING,
    "user_attrs": MAPPING,
    "system_attrs": MAPPING,
    "intermediate_values": STEPS,
}


class JournalCheck:
    """Looks at the lines of one journal in their order.

    Attributes:
        n_lines: Lines that have been looked at.
        deleted: Names of studies that were deleted, each to the line that did it.
    """

    def __init__(self) -> None:
        self.n_lines = 0
        self.deleted: dict[str, int] = {}
        self._studies: list[str | None] = []
        self._n_objectives: list[int] = []
        self._study_of: list[int] = []
        self._born: dict[str, int] = {}

    def check(self, operation: Any) -> None:
        """Looks at the next line.

        Args:
            operation: The line's value.

        Raises:
            ValueError: It is no operation, or not one on what the lines before it made.
        """
        self.n_lines += 1
        if not isinstance(operation, dict):
            raise ValueError(f"{shortened(operation)} is no operation")
        code = operation.get("op_code")
        if type(code) is not int or code not in _FIELDS:
            said = "no op_code" if code is None else f"op_code {shortened(code)}"
            raise ValueError(f"it has {said}: an operation has one from 0 to {_DISCARD}")
        fields = _FIELDS[code]
        if code != _DISCARD:
            TEXT.check("worker_id", operation.get("worker_id"))
        for name, form in fields.items():
            if name not in operation:
                raise ValueError(f"its {name} is missing")
            form.check(name, operation[name])
        self._check_target(operation)
        self._check_code(code, operation)

    def _check_target(self, operation: Mapping[str, Any]) -> None:
        """Every line is about a study or a trial that a line before it makes."""
        for what, known in (("study", self._studies), ("trial", self._study_of)):
            number = operation.get(f"{what}_id")
            if number is not None and number >= len(known):
                raise ValueError(f"it is about the {what} {number}, which no line before it makes")

    def _check_code(self, code: int, operation: Mapping[str, Any]) -> None:
        if code == _CREATE_STUDY:
            self._create_study(operation)
        elif code == _DELETE_STUDY:
            self._delete_study(operation["study_id"])
        elif code == _CREATE_TRIAL:
            self._create_trial(operation)
        elif code == _SET_PARAM:
            _check_value(operation["param_value_internal"], operation["distribution"])
        elif code == _SET_STATE:
            self._check_end(operation["trial_id"], operation)
        elif "trial_id" in operation:
            check_attributes(operation.get("user_attr", {}), operation.get("system_attr", {}))

    def _create_study(self, operation: Mapping[str, Any]) -> None:
        if operation["study_name"] not in self._studies:
            self.deleted.pop(operation["study_name"], None)
            self._studies.append(operation["study_name"])
            self._n_objectives.append(len(operation["directions"]))

    def _delete_study(self, study: int) -> None:
        name, self._studies[study] = self._studies[study], None
        if name is not None:
            self.deleted[name] = self.n_lines

    def _create_trial(self, operation: Mapping[str, Any]) -> None:
        for name, form in _OF_NEW_TRIAL.items():
            if name in operation:
                form.check(name, operation[name])
        made_with = operation.get("user_attrs", {})
        check_attributes(made_with, operation.get("system_attrs", {}))
        distributions = operation.get("distributions", {})
        for name, value in operation.get("params", {}).items():
            if name not in distributions:
                raise ValueError(f"its parameter {name} has no distribution")
            _check_value(value, distributions[name])
        if attributes.NUMBER in made_with:
            first = self._born.setdefault(repr(operation), self.n_lines)
            if first != self.n_lines:
                raise ValueError(f"it makes the trial once more that line {first} makes")
        if self._studies[operation["study_id"]] is not None:
            self._study_of.append(operation["study_id"])
            self._check_values(len(self._study_of) - 1, operation, state=operation.get("state", 0))

    def _check_end(self, trial: int, operation: Mapping[str, Any]) -> None:
        state = operation["state"]
        if state != _WAITING:
            name = "datetime_start" if state == _RUNNING else "datetime_complete"
            TIME.check(name, operation.get(name))
        self._check_values(trial, operation, state=state)

    def _check_values(self, trial: int, operation: Mapping[str, Any], *, state: int) -> None:
        """A trial that ended well has one value for each objective."""
        value = operation.get("value")
        values = operation.get("values") or ([] if value is None else [value])
        n = self._n_objectives[self._study_of[trial]]
        if (state == _COMPLETE or values) and (len(values) != n or any(v != v for v in values)):
            raise ValueError(f"its values must be {n} of a trial that is complete")


def check_attributes(ours: Mapping[str, Any], optunas: Mapping[str, Any]) -> None:
    """Looks at the notes on a trial.

    Args:
        ours: Its user attributes; those that other programs gave it may be anything.
        optunas: Its system attributes.

    Raises:
        ValueError: One of them is not as this program, or Optuna, writes it.
    """
    for name, value in ours.items():
        if name in ATTRIBUTE:
            ATTRIBUTE[name].check(name, value)
    MAPPING.check(_OPTUNA_FIXED, optunas.get(_OPTUNA_FIXED, {}))


def _check_value(value: Any, distribution: str) -> None:
    """A parameter's value in Optuna's own form is one that its distribution can give back."""
    NUMBER.check("param_value_internal", value)
    try:
        known = distribution_of(distribution)
        if value < 0 and hasattr(known, "choices"):
            raise IndexError("below 0")
        known.to_external_repr(value)
    except (ValueError, OverflowError, IndexError, TypeError) as error:
        raise ValueError(f"its parameter's value {shortened(value)} has no meaning") from error
