"""The GPUs that a driver claims while it drives, and what it says of those that others use."""

import os
from collections.abc import Sequence

from automl.gpus import read_gpus, visible_gpus
from automl.study.config import StudyConfig
from automl.study.gpu_claims import Claim, GpuClaims

__all__ = ["gpus_of", "shared_use"]


def gpus_of(config: StudyConfig) -> GpuClaims:
    """The claim of a study on this machine's GPUs; on none where it trains on the CPU."""
    resources = config.resources
    gpus = visible_gpus(read_gpus()) if resources.gpus_per_trial else ()
    ids = resources.gpu_ids
    uuids = [gpu.uuid for gpu in gpus if ids is None or gpu.index in ids]
    return GpuClaims(uuids, Claim(config.name, os.getpid()))


def shared_use(claims: GpuClaims) -> Sequence[str]:
    """A note on each GPU that another driver trains on as well."""
    return [
        f"the GPU {uuid} is in use by {claim}: both train on it, slower and with less memory"
        for uuid, claim in claims.others.items()
    ]
