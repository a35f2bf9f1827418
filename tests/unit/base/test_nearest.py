import pytest

from automl.nearest import did_you_mean, nearest, slips

KNOWN = ("train.optim.lr", "train.optim.lr_decay", "dataset.batch_size", "evaluate.batch_size")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("train.optim.lr_deacy", "train.optim.lr_decay"),
        ("lr", "train.optim.lr"),
        ("train.lr", "train.optim.lr"),
        ("train.batch_size", "dataset.batch_size"),
        ("eval.batch_size", "evaluate.batch_size"),
        ("batchsize", "dataset.batch_size"),
        ("colour", None),
        ("train.optim.lr_dec", "train.optim.lr_decay"),
        ("", None),
    ],
)
def test_the_meant_key_is_found(key: str, meant: str | None) -> None:
    assert nearest(key, KNOWN) == meant


def test_the_sentence_is_empty_where_nothing_is_near() -> None:
    assert did_you_mean("lr", KNOWN) == "did you mean train.optim.lr?"
    assert did_you_mean("colour", KNOWN) == ""


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--polcy", "--policy"),
        ("--set-up", None),
        ("--notify", None),
        ("--quiet", None),
        ("--tria", "--trials"),
        ("--tr", None),
        ("--confrim", "--confirm"),
    ],
)
def test_a_word_is_near_by_few_slips_or_as_a_beginning(word: str, meant: str | None) -> None:
    assert (
        nearest(word, ("--policy", "--set", "--trials", "--confirm", "--trial-timeout")) == meant
    )


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "abd", 1), ("abcd", "acbe", 2)],
)
def test_slips_are_counted(one: str, other: str, count: int) -> None:
    assert slips(one, other) == slips(other, one) == count
