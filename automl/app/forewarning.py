"""What a person should know before the first hour is spent: how many it will be, and for what."""

from collections.abc import Iterator

from automl.app.disk_estimate import estimate_disk
from automl.app.plan import Plan
from automl.app.time_estimate import TimeEstimate, durations, estimate_time, least_on_cpu

__all__ = ["forewarnings", "only_parameter", "opening"]

#: Hours on a CPU from which on another network is offered.
_LONG_S = 3 * 3600.0


def opening(plan: Plan) -> Iterator[str]:
    """What a run says of itself before it begins, a sentence a line."""
    only = only_parameter(plan)
    if only:
        yield f"search: {only}"
    time, disk = estimate_time(plan), estimate_disk(plan)
    if time is not None:
        yield f"time: {time}"
    yield from forewarnings(plan, time)
    if disk is not None and disk.is_short:
        yield f"disk: {disk}"


def only_parameter(plan: Plan) -> str:
    """That a search has one parameter because others change nothing, and what frees them.

    Returns:
        Empty where a search has more, or no parameter was left out for having no effect.
    """
    space = plan.space
    if not plan.gate.searches or len(space.parameters) != 1 or not space.inert:
        return ""
    left = "; ".join(f"{each.fix} frees {each.key}" for each in space.inert)
    return f"one parameter only, {space.parameters[0].key}; {left}"


def forewarnings(plan: Plan, time: TimeEstimate | None) -> Iterator[str]:
    """That this CPU is too slow for the network, and what it can train instead."""
    if time is None or plan.config.resources.gpus_per_trial or time.wall_s.low < _LONG_S:
        return
    offer = least_on_cpu(plan)
    takes = f"this CPU needs {durations(time.wall_s)}; a GPU is what such a network is made for"
    yield takes if offer is None else f"{takes}; {offer[0]} takes {durations(offer[1])} here"
