"""Rungs in a plan: where they are, what they need of the spec, and where there can be none."""

import re

import pytest

from automl.app.fidelity import choose_fidelity
from automl.cli.plan_text import plan_text
from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.space.distributions import IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import SearchSettings
from tests.unit.app.kit import MakePlan, values

EPOCHS, VALIDATION = "train.num_epochs", "train.validation_interval"
SAVED, UNIT = "train.checkpoint_interval", "train.checkpoint_interval_unit"
KEYS = NetworkKeys(
    epochs=EPOCHS,
    validation_interval=VALIDATION,
    checkpoint_interval=SAVED,
    checkpoint_unit=UNIT,
    resume=("train.resume",),
)


def space(*keys: str) -> SearchSpace:
    return SearchSpace(tuple(Parameter(key, "int", IntRange(1, 8), default=4) for key in keys))


def spec(
    epochs: int, validation: int = 1, saved: int = 1, unit: str = "epoch"
) -> dict[str, object]:
    named = {"num_epochs": epochs, "validation_interval": validation}
    return {"train": {**named, "checkpoint_interval": saved, "checkpoint_interval_unit": unit}}


def asked(fidelity: str, pruner: str = "none") -> SearchSettings:
    return SearchSettings(fidelity=fidelity, pruner=pruner)


def test_by_name_the_rungs_follow_from_length_and_validations() -> None:
    found = choose_fidelity(spec(27), KEYS, space("lr"), asked("asha"))
    assert (found.search.fidelity, found.search.n_epochs) == ("asha", 27)
    assert found.search.rungs == (3, 9)
    assert found.tree == spec(27)
    assert not found.notes


def test_each_rung_gets_its_validation_and_its_checkpoint() -> None:
    found = choose_fidelity(spec(60, 5, 12), KEYS, space("lr"), asked("asha"))
    assert found.search.rungs == (10, 30)
    assert values(found.tree, VALIDATION, SAVED, EPOCHS) == {VALIDATION: 5, SAVED: 2, EPOCHS: 60}
    assert found.notes == (
        f"{SAVED} = 2 instead of 12: each rung needs its validation and its checkpoint",
    )


def test_checkpoints_by_steps_become_checkpoints_by_epochs() -> None:
    found = choose_fidelity(spec(27, 1, 500, "step"), KEYS, space("lr"), asked("asha"))
    assert values(found.tree, SAVED, UNIT) == {SAVED: 3, UNIT: "epoch"}
    assert len(found.notes) == 2


def test_rungs_asked_for_by_name_get_the_validations_that_they_need() -> None:
    found = choose_fidelity(spec(27, 9), KEYS, space("lr"), asked("asha"))
    assert found.search.rungs == (3, 9)
    assert values(found.tree, VALIDATION) == {VALIDATION: 3}


def test_auto_has_rungs_where_there_are_validations_enough() -> None:
    assert choose_fidelity(spec(27), KEYS, space("lr"), asked("auto")).search.fidelity == "asha"
    found = choose_fidelity(spec(27, 9), KEYS, space("lr"), asked("auto"))
    assert (found.search.fidelity, found.search.rungs) == ("full", ())
    assert found.tree == spec(27, 9)
    (note,) = found.notes
    assert note.startswith("every trial trains to its end, without rungs: 3 validations in 27")


@pytest.mark.parametrize(
    ("keys", "searched", "pruner", "why"),
    [
        (KEYS, EPOCHS, "none", f"{EPOCHS} is searched"),
        (KEYS, SAVED, "none", f"{SAVED} is searched"),
        (NetworkKeys(epochs=EPOCHS, resume=("r",)), "lr", "none", "between checkpoints"),
        (NetworkKeys(epochs=EPOCHS, checkpoint_interval=SAVED), "lr", "none", "to go on from"),
        (NetworkKeys(), "lr", "none", "the number of epochs"),
        (KEYS, "lr", "median", "--pruner median stops trials by its rule"),
    ],
)
def test_where_no_trial_could_pause_there_are_none(
    keys: NetworkKeys, searched: str, pruner: str, why: str
) -> None:
    found = choose_fidelity(spec(27), keys, space(searched), asked("auto", pruner))
    assert (found.search.fidelity, found.search.rungs) == ("full", ())
    assert why in found.notes[0]
    with pytest.raises(FixInput, match=re.escape(why)):
        choose_fidelity(spec(27), keys, space(searched), asked("asha", pruner))


def test_a_training_too_short_is_refused_by_name() -> None:
    with pytest.raises(FixInput, match="rungs need 6"):
        choose_fidelity(spec(4), KEYS, space("lr"), asked("asha"))


def test_a_plain_training_has_none() -> None:
    found = choose_fidelity(spec(27), KEYS, SearchSpace(), asked("asha"))
    assert (found.search.fidelity, found.search.n_epochs) == ("full", 27)


def test_full_changes_nothing(plan: MakePlan) -> None:
    made = plan("--set", "train.num_epochs=27")
    assert (made.config.search.fidelity, made.config.search.rungs) == ("full", ())
    assert made.config.search.n_epochs == 27
    assert "rungs" not in plan_text(made, first=1)


def test_the_plan_says_where_the_rungs_are(plan: MakePlan) -> None:
    settings = (
        "train.num_epochs=27",
        "train.checkpoint_interval=27",
        "train.validation_interval=1",
    )
    made = plan("--fidelity", "auto", *(part for one in settings for part in ("--set", one)))
    text = plan_text(made, first=1)
    assert (
        "rungs     after epochs 3, 9 of 27 trials pause, and the better ones go on (asha)" in text
    )
    assert "note: train.checkpoint_interval = 3 instead of 27" in text
    assert values(made.base_spec, SAVED, VALIDATION) == {SAVED: 3, VALIDATION: 1}
    assert made.config.search.fidelity == "asha"
