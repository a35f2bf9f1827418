"""Lines that are too long go on under their own column, and no word is lost."""

from hypothesis import given
from hypothesis import strategies as st

from automl.reports.hanging import hung

WORDS = st.lists(st.text("abc/.-", min_size=1, max_size=29), min_size=1, max_size=20)


def test_a_labelled_line_goes_on_beside_its_label() -> None:
    line = "verdict    better than the default with fresh seeds"
    assert list(hung([line, "short"], 32, 11)) == [
        "verdict    better than the",
        "           default with fresh",
        "           seeds",
        "short",
    ]


def test_a_path_stays_whole() -> None:
    line = f"spec       {'x' * 60}/train.yaml"
    assert list(hung([line], 40, 11)) == [line]


@given(WORDS, st.integers(40, 100))
def test_every_word_is_there_and_no_line_is_longer_than_it_must_be(
    words: list[str], width: int
) -> None:
    lines = list(hung([f"label      {' '.join(words)}"], width, 11))
    assert " ".join(lines).split() == ["label", *words]
    assert all(len(line) <= width for line in lines)
