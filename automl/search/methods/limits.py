"""When a search proposes nothing more, whatever its method."""

from automl.search.decision import EndCause, SearchEnd
from automl.search.further_gain import further_gain
from automl.search.method import SearchView
from automl.study.limits import AUTO

__all__ = ["has_room", "why_no_more"]


def has_room(view: SearchView) -> bool:
    """Whether the study may begin one more trial of the search."""
    return view.n_searched < view.config.limits.trials


def why_no_more(view: SearchView) -> SearchEnd | None:
    """Why no further configuration is proposed; None while one may be."""
    if view.ended is not None:
        return view.ended
    if not has_room(view):
        limit = view.config.limits.trials
        return SearchEnd(
            EndCause.LIMITS,
            f"all {limit} trials were started" if limit > 1 else "its one trial was started",
        )
    if view.n_searched + view.n_refused >= view.total and view.n_tried >= view.total:
        return SearchEnd(EndCause.EXHAUSTED, f"all {view.total:g} configurations were tried")
    return _why_no_gain(view)


def _why_no_gain(view: SearchView) -> SearchEnd | None:
    """That more trials would gain nothing that could be seen, where such a search is to end."""
    if view.config.limits.stop != AUTO:
        return None
    begun = view.searched()
    gain = further_gain(
        [each.record for each in begun], view.config, view.config.limits.trials - len(begun)
    )
    if gain is None or not gain.is_unlikely:
        return None
    return SearchEnd(EndCause.NO_GAIN, f"further gain is unlikely: {gain} (--stop auto)")
