import pytest

from automl.nearest import did_you_mean, nearest

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
    ],
)
def test_the_meant_key_is_found(key: str, meant: str | None) -> None:
    assert nearest(key, KNOWN) == meant


def test_the_sentence_is_empty_where_nothing_is_near() -> None:
    assert did_you_mean("lr", KNOWN) == "did you mean train.optim.lr?"
    assert did_you_mean("colour", KNOWN) == ""
