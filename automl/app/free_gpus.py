"""GPUs that another study of this user trains on: left to it where there are others."""

from automl.app.machine import Machine
from automl.reports import words

__all__ = ["free_first"]


def free_first(
    named: tuple[int, ...] | None, needed: int, machine: Machine
) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """The GPUs that a study trains on, with notes on those that it shares or leaves.

    Args:
        named: Those that ``--gpus`` names; None for all.
        needed: How many one trial needs.
        machine: What there is, and who trains on it.

    Returns:
        Those that are named; of all of them the free ones, if they are enough for a trial. None
        for all.
    """
    held = {
        gpu.index: str(machine.held[gpu.uuid]) for gpu in machine.gpus if gpu.uuid in machine.held
    }
    used = {index: who for index, who in held.items() if named is None or index in named}
    if not needed or not used:
        return named, ()
    free = tuple(gpu.index for gpu in machine.gpus if gpu.index not in held)
    if named is None and len(free) >= needed:
        left = ", ".join(f"GPU {index} to {who}" for index, who in used.items())
        count = words.count(len(free), "free GPU")
        return free, (f"left where they are in use: {left}; this study trains on {count}",)
    notes = [
        f"GPU {index} is in use by {who}: both will be slower and have less memory; "
        f"{_others(free)}"
        for index, who in used.items()
    ]
    return named, tuple(notes)


def _others(free: tuple[int, ...]) -> str:
    if not free:
        return "no other one is free"
    return f"free: --gpus {','.join(map(str, free))}"
