"""What of a trial's settings differs from the default, in the fewest words."""

from collections.abc import Mapping, Sequence

from automl.reports import words
from automl.skill.tree import ParamValue
from automl.study.records import TrialRecord

__all__ = ["changed_params", "changed_words"]


def changed_params(
    params: Mapping[str, ParamValue], default: TrialRecord | None
) -> dict[str, ParamValue]:
    """The parameters that differ from trial 0's; all of them while trial 0 is not known."""
    base: Mapping[str, ParamValue] = {} if default is None else default.params
    return {key: value for key, value in params.items() if key not in base or base[key] != value}


def changed_words(params: Mapping[str, ParamValue], records: Sequence[TrialRecord]) -> str:
    """The parameters that differ from trial 0's: ``lr 0.0001  batch_size 16``; empty if none do.

    Args:
        params: Those of one trial.
        records: Every trial; of the names each is shown by the shortest end that no other has.
    """
    default = next((record for record in records if record.number == 0), None)
    changed = changed_params(params, default)
    every = {key: None for record in records for key in record.params}
    names = words.short_names(list(every | dict.fromkeys(changed)))
    return "  ".join(f"{names[key]} {words.param(value)}" for key, value in changed.items())
