"""What a search profile believes of the settings that are searched."""

import json
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.beliefs import priors_of
from automl.search.prior import Prior
from automl.skill.profile import Belief, Profile
from automl.space.believed import believed
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.list_parameter import ListParameter
from automl.space.model import SearchSpace
from automl.space.parameter import Link, Parameter
from automl.space.relations import Relation

SPACE = SearchSpace(
    (
        Parameter("a.lr", "float", FloatRange(1e-6, 1e-2, log=True), 1e-4),
        Parameter("a.flip", "float", FloatRange(0.1, 0.5), 0.2),
        Parameter("a.net", "categorical", Choice(("x", "y"), (1.0, 3.0)), "x"),
        Parameter("a.rank", "int", Choice((1, 2, 4), is_ordered=True), 2),
        Parameter(
            "a.rate",
            "float",
            FloatRange(1e-6, 1e-2, log=True),
            1e-5,
            links=(Link(Relation.AT_MOST, ("a.lr",)),),
        ),
        ListParameter(
            "a.steps",
            "list",
            (
                Parameter("a.steps[0]", "int", IntRange(1, 5), 2),
                Parameter("a.steps[1]", "int", IntRange(2, 12), 8),
            ),
            [2, 8],
        ),
        Parameter("a.free", "float", FloatRange(0.0, 1.0)),
    )
)


def with_belief(key: str, belief: Belief) -> SearchSpace:
    profile = Profile(prior={key: belief}, where="profile.yaml")
    return SearchSpace(SPACE.parameters, priors=believed(SPACE, profile))


def test_without_a_profile_the_default_is_the_centre() -> None:
    priors = priors_of(SPACE)
    assert priors["a.lr"].centre == 1e-4
    # Half a decade of four.
    assert priors["a.lr"].width == pytest.approx(0.125)
    assert priors["a.flip"] == Prior(0.2)
    assert priors["a.net"] == Prior("x", weights=(1.0, 3.0))
    assert priors["a.steps[1]"] == Prior(8)
    assert priors["a.free"] == Prior()
    # Drawn as a share of what its parent leaves; its own scale has four decades.
    assert priors["a.rate@share"].width == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("key", "belief", "draw", "centre", "width"),
    [
        ("a.lr", Belief(1e-5, 1.0), "a.lr", 1e-5, 0.25),
        ("a.lr", Belief(width=1.0), "a.lr", 1e-4, 0.25),
        ("a.flip", Belief(0.3, 0.1), "a.flip", 0.3, 0.25),
        ("a.net", Belief("y", 0.2), "a.net", "y", 0.2),
        ("a.rank", Belief(4, 1.5), "a.rank@place", 2, 0.5),
        ("a.steps", Belief([3, 9], 2.0), "a.steps[1]", 9, 0.2),
    ],
)
def test_a_belief_is_said_of_the_draw(
    key: str, belief: Belief, draw: str, centre: Any, width: float
) -> None:
    prior = priors_of(with_belief(key, belief))[draw]
    assert prior.centre == centre
    assert prior.width == pytest.approx(width)
    assert prior.is_stated


def test_it_is_kept_with_the_space_and_decides_no_value_of_it() -> None:
    space = with_belief("a.steps", Belief([3, 9], 2.0))
    stored = json.loads(json.dumps(space.to_json()))
    assert SearchSpace.from_json(stored).priors == space.priors
    assert space.digest == SPACE.digest
    assert "priors" not in SPACE.to_json()


def test_what_is_not_searched_is_passed_over() -> None:
    assert with_belief("b.lr", Belief(1.0)).priors == {}


@pytest.mark.parametrize(
    ("key", "belief", "words"),
    [
        ("a.lr", Belief(1.0), "must be a value that is searched.*1e-06 .. 0.01"),
        ("a.steps", Belief([3]), "must be a value that is searched"),
        ("a.net", Belief("z"), "must be a value that is searched"),
        ("a.net", Belief("x", 1.0), "a share of the other options, below 1"),
    ],
)
def test_what_cannot_be_believed_is_an_error(key: str, belief: Belief, words: str) -> None:
    with pytest.raises(FixInput, match=words) as caught:
        with_belief(key, belief)
    assert caught.value.where == f"profile.yaml: prior.{key}"
