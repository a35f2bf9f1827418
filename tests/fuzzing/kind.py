"""What a kind of input is, and the values that all kinds are made of."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from automl.data.imagefile import BrokenImage
from automl.errors import AutomlError

__all__ = ["NUMBERS", "READ", "VALUES", "WORDS", "Kind", "cut", "places", "quiet"]

READ: Final = "read"
"""What ``Kind`` answers for an input that was read."""

Strategy = st.SearchStrategy[Any]


class Kind:
    """One kind of input: where it comes from, and what reads it.

    Args:
        strategy: Draws an input.
        read: Reads one in a folder of its own; raises where it refuses it.
    """

    def __init__(self, strategy: Strategy, read: Callable[[Any, Path], None]) -> None:
        self.strategy = strategy
        self._read = read

    def outcome(self, value: Any, folder: Path) -> str:
        """``read``, or the rule by which the input was refused.

        Raises:
            AssertionError: It was refused without a rule.
        """
        refused: AutomlError | BrokenImage | None = None
        try:
            with quiet():
                self._read(value, folder)
        except (AutomlError, BrokenImage) as error:
            refused = error
        if refused is None:
            return READ
        assert refused.rule
        assert "\n" not in refused.rule
        return f"{type(refused).__name__}: {refused.rule}"


_EXTREMES = [0, 1, -1, 1e-320, 5e-324, 1e308, -1e308, 2**63, -(2**63) - 1, 10**400, 0.1]
NUMBERS: Strategy = st.integers() | st.floats() | st.sampled_from(_EXTREMES)
WORDS = st.sampled_from(
    [
        *("yes", "no", "on", "off", "y", "true", "False", "null", "~", "", " ", "???", "4"),
        *("0x10", "1_000", "1e400", "nan", "inf", "-", "=", "[", "{", "&a", "*a", "!!python/a"),
        *("${.batch_size}", "${..train.seed}", "${oc.env:HOME}", "${train.seed}", "${a", "${}"),
    ]
)
_SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=6)
VALUES: Strategy = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value in a tree of JSON, the groups included."""
    held: Any = ()
    if isinstance(value, dict | list):
        held = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(below for key, inner in held for below in places(inner, (*place, key)))]


@st.composite
def cut(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with some changed, some put in, some taken out, or the end cut off."""
    content = bytearray(draw(texts))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.integers(0, 5)):
            case 0 | 1 | 2:
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 3:
                content[place:place] = draw(st.binary(max_size=8))
            case 4:
                del content[place : place + draw(st.integers(1, 40))]
            case _:
                del content[place:]
    return bytes(content)


@contextmanager
def quiet() -> Iterator[None]:
    """What libraries say of odd inputs goes nowhere: logs, and one warning of Optuna's."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Choices for a categorical", UserWarning)
            yield
    finally:
        logging.disable(logging.NOTSET)
