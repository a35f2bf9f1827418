"""Every trial trains to its end, unless the rule of the study's pruner stops it."""

from dataclasses import dataclass

from automl.search.decision import Continue, Decision, SearchEnd
from automl.search.method import Propose, SearchView, Start
from automl.search.methods.confirming import confirm
from automl.search.methods.limits import why_no_more
from automl.search.pruners import Pruner

__all__ = ["Full"]


@dataclass(frozen=True, slots=True)
class Full:
    """The default, what the sampler draws, then what confirms the winner; each at full length.

    Attributes:
        pruner: Stops a trial that is behind.
    """

    pruner: Pruner

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        """A new trial while the limits allow one, then a confirmation."""
        ended = why_no_more(view)
        return Propose() if ended is None else confirm(view, ended)

    def judge(self, view: SearchView, number: int) -> Decision:
        """What the pruner says; a training that confirms another is never stopped."""
        trial = view.by_number[number]
        # A mean over seeds needs every training at its full length.
        return Continue() if trial.record.confirms is not None else self.pruner(view, trial)
