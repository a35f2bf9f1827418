"""The states of torch's random generators, as checkpoints keep them."""

from collections.abc import Mapping
from typing import Any

import torch

from automl.centerpose.training.process_group import ProcessGroup

__all__ = ["random_states", "restore_random_states", "seed_apart"]

_APART = 1_000_003  # between the seeds of two processes


def seed_apart(seed: int, processes: ProcessGroup, step: int = 0) -> None:
    """Gives every process but the first random numbers of its own."""
    if processes.shard.rank:
        torch.manual_seed(seed + _APART * processes.shard.rank + step)


def random_states(processes: ProcessGroup) -> dict[str, Any]:
    """The states of this device, and where several processes train, those of each of them."""
    own = _own_state(processes.device)
    if processes.shard.world == 1:
        return own
    return own | {"ranks": processes.gather([own])}


def restore_random_states(
    states: Mapping[str, Any], seed: int, step: int, processes: ProcessGroup
) -> None:
    """Takes up the states of a checkpoint.

    Where it was written by another number of processes, all but the first draw anew.
    """
    ranks = states.get("ranks", [])
    fits = len(ranks) == processes.shard.world
    own = ranks[processes.shard.rank] if fits else states
    torch.set_rng_state(own["torch"])
    if own["cuda"] and processes.device.type == "cuda":
        torch.cuda.set_rng_state(own["cuda"][0], processes.device)
    if not fits:
        seed_apart(seed, processes, step)


def _own_state(device: torch.device) -> dict[str, Any]:
    cuda = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return {"torch": torch.get_rng_state(), "cuda": cuda}
