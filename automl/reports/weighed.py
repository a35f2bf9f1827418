"""What the winner is worth by all trials together, beside the value that was observed.

The best of many noisy values is too good to be repeated; what a seed of no special luck would give
is estimated from the values of all trials (``study.posterior``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.reports import words
from automl.study.config import Objective
from automl.study.expected import Expectations, expectations
from automl.study.ranking import best_trial
from automl.study.records import TrialRecord

__all__ = ["Weighed", "weighed_of"]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the winner would give with another seed, as all trials together show it.

    Attributes:
        value: The objective to be expected, in the metric's own direction.
        sd: Standard deviation of what is believed of it, a seed's luck not included.
        noise: Standard deviation of one training's value over seeds.
        n_trials: How many trials it rests on.
        gain: Expected difference to the default, in the metric's own direction; None where the
            default has no value, or is the winner.
        gain_sd: Standard deviation of what is believed of that difference.
        observed: The trial with the best value of all.
        observed_value: That value, with the luck of its seed.
    """

    value: float
    sd: float
    noise: float
    n_trials: int
    gain: float | None
    gain_sd: float | None
    observed: int
    observed_value: float

    def __str__(self) -> str:
        spread = f"{words.value(self.value)} ± {words.value(self.sd)}"
        return f"{spread} with another seed, by all {self.n_trials} trials together"

    def lines(self, winner: int) -> tuple[str, ...]:
        """What stands behind it, one matter a line: the gain, the noise, the best value of all."""
        noise = f"noise of one seed {words.value(self.noise)}"
        if self.gain is not None and self.gain_sd is not None:
            gain = f"{words.signed(self.gain)} ± {words.value(self.gain_sd)} against the default"
            noise = f"{gain}; {noise}"
        if self.observed == winner:
            return (noise,)
        best = f"best value of all {words.value(self.observed_value)}, trial {self.observed}"
        return noise, f"{best}: taken for luck"


def weighed_of(
    records: Sequence[TrialRecord], winner: int, objective: Objective
) -> Weighed | None:
    """What a trial is worth; None where too few trials have a value to learn the noise from.

    Args:
        records: Every trial of the study.
        winner: The trial.
        objective: Which way is better.
    """
    found = expectations(records, objective)
    ours, best = found.of(winner), best_trial(records, objective)
    if ours is None or ours.sd is None or found.noise is None or best is None:
        return None
    gain, gain_sd = _gain(found, winner)
    return Weighed(
        value=ours.value,
        sd=ours.sd,
        noise=found.noise,
        n_trials=found.n_trials,
        gain=gain,
        gain_sd=gain_sd,
        observed=best.number,
        observed_value=best.best_value or 0.0,
    )


def _gain(found: Expectations, winner: int) -> tuple[float | None, float | None]:
    ours, base = found.of(winner), found.of(0)
    if winner == 0 or ours is None or base is None:
        return None, None
    return ours.value - base.value, found.sd_between(winner, 0)
