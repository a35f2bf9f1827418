"""--space, --search and --freeze as texts."""

import pytest

from automl.errors import FixInput
from automl.skill.asked import Asked, Frozen, parse_freeze, parse_search
from automl.space.request import SpaceRequest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b", Asked("a.b")),
        ("a.b=1e-5..1e-3:log", Asked("a.b", 1e-5, 1e-3, True)),
        ("a.b=0..1:linear", Asked("a.b", 0, 1, False)),
        ("a.b = 2..8", Asked("a.b", 2, 8)),
        ("a.b=-2..-1", Asked("a.b", -2, -1)),
        ("a.b=8,16,32", Asked("a.b", choices=(8, 16, 32))),
        ("a.b=x, y", Asked("a.b", choices=("x", "y"))),
        ("a.b=true,false", Asked("a.b", choices=(True, False))),
        ("a.b=[1,2],[3,4]", Asked("a.b", choices=([1, 2], [3, 4]))),
        ("a.b=1e-4,1e-4,0.1", Asked("a.b", choices=(1e-4, 0.1))),
        ("a.b=1..1", Asked("a.b", 1, 1)),
    ],
)
def test_a_request_is_read(text: str, expected: Asked) -> None:
    assert parse_search(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "searched as KEY"),
        ("=1..2", "searched as KEY"),
        ("a.b=", "searched as KEY"),
        ("a b=1..2", "searched as KEY"),
        ("a.b=3..1", "from low to high"),
        ("a.b=0..1:log", "begin above 0"),
        ("a.b=1..2:wide", "searched as KEY"),
        ("a.b=x..y", "finite numbers"),
        ("a.b=0..inf", "finite numbers"),
        ("a.b=[1", "well formed"),
    ],
)
def test_a_request_of_another_form_is_refused(text: str, words: str) -> None:
    with pytest.raises(FixInput, match=words):
        parse_search(text)


def test_freezing() -> None:
    assert parse_freeze("a.b") == Frozen("a.b")
    assert parse_freeze("a.b=1e-4") == Frozen("a.b", (1e-4,))
    with pytest.raises(FixInput, match="frozen as KEY"):
        parse_freeze("=3")


def test_short_keys_stand_for_dotted_ones() -> None:
    request = SpaceRequest(search=(parse_search("lr=1..2"),), shorthand={"lr": "train.optim.lr"})
    assert list(request.searched()) == ["train.optim.lr"]
    assert request.searched()["train.optim.lr"].key == "train.optim.lr"


@pytest.mark.parametrize("second", ["a=3..4", "short=3..4"])
def test_a_setting_is_named_once(second: str) -> None:
    asked = (parse_search("a=1..2"), parse_search(second))
    request = SpaceRequest(search=asked, shorthand={"short": "a"})
    with pytest.raises(FixInput, match="each setting must be named once, but got a and"):
        request.searched()
    frozen = (parse_freeze("a"), parse_freeze(second.partition("=")[0]))
    with pytest.raises(FixInput, match="--freeze"):
        SpaceRequest(freeze=frozen, shorthand={"short": "a"}).frozen()


def test_an_unknown_space_is_refused() -> None:
    with pytest.raises(FixInput, match="default, profile, all"):
        SpaceRequest("everything")
