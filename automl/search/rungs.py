"""At which epochs trials are compared, counted from 1: the rungs of successive halving.

Jamieson and Talwalkar (AISTATS 2016), and Li et al. (MLSys 2020) for the asynchronous form.
"""

from typing import Final

__all__ = ["ETA", "FEWEST_VALIDATIONS", "rung_epochs"]

#: Of the trials of a rung one in so many goes on.
ETA: Final = 3
#: Validations of a training below which it has no rungs: too little could be saved.
FEWEST_VALIDATIONS: Final = 6
# A first rung at a ninth of the training leaves two rungs below its end, and costs so little that
# what a wrong decision loses, the trials it pays for bring back.
_FIRST_SHARE = ETA**2
_FEWEST_AT_FIRST = 2
# A rung nearer to the end than this saves less than its comparison risks.
_MOST_SHARE = 2 / 3


def rung_epochs(
    n_epochs: int, validation_interval: int, eta: int = ETA, first: int | None = None
) -> tuple[int, ...]:
    """The epochs after which trials are compared, rising, each a multiple of the interval.

    The first is at a ninth of the training and not before the second validation: what is reported
    after the very first epoch still shows how a training began. Each further rung is ``eta`` times
    as far; none is beyond two thirds of the training.

    Args:
        n_epochs: Epochs of a whole training, at least 1.
        validation_interval: Epochs from one validation to the next, at least 1.
        eta: Of how many trials one goes on, at least 2.
        first: The first rung; None for the rule above.

    Returns:
        Empty where a training has fewer than six validations.

    Raises:
        ValueError: An argument is below its least value.
    """
    if n_epochs < 1 or validation_interval < 1 or eta < 2 or (first is not None and first < 1):
        raise ValueError(
            "rungs need n_epochs, validation_interval and first of at least 1 and eta of at least "
            f"2, but got {(n_epochs, validation_interval, first, eta)}"
        )
    if n_epochs // validation_interval < FEWEST_VALIDATIONS:
        return ()
    wanted = n_epochs / _FIRST_SHARE if first is None else first
    least = _FEWEST_AT_FIRST if first is None else 1
    rung = max(least, round(wanted / validation_interval)) * validation_interval
    found = []
    while rung <= n_epochs * _MOST_SHARE:
        found.append(rung)
        rung *= eta
    return tuple(found)
