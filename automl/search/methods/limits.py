"""When a search proposes nothing more, whatever its method."""

from automl.search.decision import EndCause, SearchEnd
from automl.search.method import SearchView

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
        return SearchEnd(EndCause.LIMITS, f"all {limit} trials were started")
    if view.n_searched + view.n_refused >= view.total and view.n_tried >= view.total:
        return SearchEnd(EndCause.EXHAUSTED, f"all {view.total:g} configurations were tried")
    return None
