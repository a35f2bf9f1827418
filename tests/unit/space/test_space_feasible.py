"""What can never run is never proposed, and what is fixed counts for what follows it."""

from collections.abc import Callable

from automl.search.sample import sample
from automl.skill.profile import Profile, RuleVerdict, SettingRule
from automl.skill.schema import SchemaTree
from automl.skill.tree import with_value
from automl.skill.when import When
from automl.space.model import SearchSpace

Build = Callable[..., SearchSpace]

INTERVAL = Profile(
    settings=(
        SettingRule(
            "dataset.batch_size",
            When("dataset.batch_size", {"above": "train.num_epochs"}),
            RuleVerdict.REFUSE,
            "a rule for the test",
        ),
    )
)


def _pairs(space: SearchSpace, first: str, second: str) -> list[tuple[float, float]]:
    base = {parameter.key: parameter.default for parameter in space}
    base |= dict(space.fixed)
    proposals = [{**base, **one} for one in sample(space, 300, seed=3)]
    return [(one[first], one[second]) for one in proposals]  # type: ignore[misc]


def test_a_rule_between_two_searched_settings_is_kept_in_every_proposal(build: Build) -> None:
    search = ("train.num_epochs=2..20", "dataset.batch_size=1..20")
    space = build(*search, profile=INTERVAL)
    pairs = _pairs(space, "dataset.batch_size", "train.num_epochs")
    assert all(batch <= epochs for batch, epochs in pairs)
    assert max(batch for batch, _ in pairs) > 15, "the base value of the other is no bound"
    assert space.keys.index("train.num_epochs") < space.keys.index("dataset.batch_size")


def test_a_rule_about_a_setting_that_is_not_searched_bounds_the_other(build: Build) -> None:
    space = build("train.num_epochs=2..20", profile=INTERVAL)
    assert space["train.num_epochs"].ends[0] == 4
    assert "dataset.batch_size = 4" in space["train.num_epochs"].bounds_from["low"]


def test_a_rule_of_another_trainer_bounds_nothing(build: Build) -> None:
    (rule,) = INTERVAL.settings
    elsewhere = SettingRule(rule.key, rule.when, rule.verdict, rule.reason, trainers=("docker",))
    profile = Profile(settings=(elsewhere,))
    search = "train.num_epochs=2..20"
    assert build(search, profile=profile)["train.num_epochs"].ends[0] == 2
    assert build(search, profile=profile, trainer="docker")["train.num_epochs"].ends[0] == 4


def test_children_follow_the_constant_that_was_asked_for(build: Build) -> None:
    space = build("dataset.crop_min=700..700", "dataset.crop_max")
    assert space.fixed["dataset.crop_min"] == 700
    assert space["dataset.crop_max"].ends[0] == 701
    pairs = _pairs(space, "dataset.crop_max", "dataset.crop_min")
    assert all(most > least for most, least in pairs)


def test_children_follow_a_frozen_parent(build: Build) -> None:
    space = build("model.num_select", freeze=("model.num_queries=50",))
    assert space["model.num_select"].ends[1] == 50


def test_a_space_is_the_same_once_its_constants_stand_in_the_spec(
    build: Build, schema: SchemaTree
) -> None:
    asked = ("dataset.crop_min=700..700", "dataset.crop_max", "train.num_epochs=20")
    first, spec = build(*asked), schema.defaults
    assert first.fixed == {"dataset.crop_min": 700, "train.num_epochs": 20}
    for key, value in first.fixed.items():
        spec = with_value(spec, key, value)
    assert build(*asked, base=spec) == first
