"""What a person writes of an object's size, and what is refused."""

import pytest

from automl.errors import FixInput
from automl.poses.known_size import KnownSize, read_known_size


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("0.30", KnownSize("", 0.3)),
        ("cereal_box=3e-1", KnownSize("cereal_box", 0.3)),
        ("0.19x0.30X0.06", KnownSize("", 0.3, (0.19, 0.3, 0.06))),
        ("0.1, cereal_box=0.30", KnownSize("cereal_box", 0.3)),
        ("0.1, bottle=0.24", KnownSize("", 0.1)),
        ("", None),
    ],
)
def test_heights_and_edges_are_read(text: str, known: KnownSize | None) -> None:
    assert read_known_size(text, "cereal_box", "here") == known


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("0", "above 0, and in metres"),
        ("-0.12", "above 0"),
        ("nan", "above 0"),
        ("inf", "above 0"),
        ("120000", "in metres"),
        ("0.19x0.30", "one height or three edges"),
        ("0.19x-0.30x0.06", "above 0"),
        ("12cm", "in numbers"),
        ("=0.3", "one height or three edges"),
        ("0.3, 0.4", "given once"),
        ("cereal_bix=0.3", "of the category that the network was trained for, cereal_box"),
        ("bottle=0.3", "of the category"),
    ],
)
def test_what_is_no_size_is_refused_with_the_place(text: str, rule: str) -> None:
    with pytest.raises(FixInput, match=rule) as caught:
        read_known_size(text, "cereal_box", "--known-size")
    assert caught.value.where == "--known-size"
    assert caught.value.fix
