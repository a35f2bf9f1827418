"""A study's store that may go away for a while: what was asked is asked again until it answers."""

from collections.abc import Callable
from typing import TypeVar

from automl.errors import ResumeLater
from automl.study.patience import Patience
from automl.study.study_store import StoreError

__all__ = ["patiently"]

_Result = TypeVar("_Result")


def patiently(ask: Callable[[], _Result], patience: Patience) -> _Result:
    """What a store answers, however often it has to be asked.

    Asking twice does no harm: a file is stored under its hash, and a list as a whole.

    Args:
        ask: Reads or writes the store.
        patience: How long.

    Raises:
        ResumeLater: It did not answer in time.
    """
    try:
        return ask()
    except StoreError as error:
        said = error
    patience.tell(f"waiting for the study's store: {said}")
    for away_s in patience.waits():
        try:
            answer = ask()
        except StoreError as error:
            said = error
        else:
            patience.tell(f"the study's store works again after {away_s:.0f} s")
            return answer
    raise ResumeLater(
        "the store of a study must take and give files",
        got=str(said),
        where="--study-store",
        fix="look at its server, its bucket and the credentials; all that ended is safe, and "
        "automl resume goes on",
    ) from said
