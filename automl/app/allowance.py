"""What of this machine a study may use: a batch system, or a container, may have set limits."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from automl.checkup import Check, Result
from automl.control_groups import ControlGroups
from automl.reports import words

__all__ = ["Allowance", "allowance", "check_allowance", "crowded_memory"]

#: About what one process takes that trains on the CPU, and what a driver takes with its Ray.
_TRAINING = _DRIVER = 10**9
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Allowance:
    """CPUs and memory that this process may use, beside what the machine has.

    Attributes:
        cpus: CPUs, or as much time of them.
        all_cpus: CPUs of the machine.
        memory: Bytes; 0 where the system does not say.
        all_memory: Bytes of the machine; 0 where the system does not say.
        job: The Slurm job that this process belongs to; empty for none.
    """

    cpus: int
    all_cpus: int
    memory: int = 0
    all_memory: int = 0
    job: str = ""

    def __str__(self) -> str:
        """``4 of 64 CPUs, 16.0 of 515.0 GB of memory (limits of Slurm job 7)``."""
        cpus = words.count(self.all_cpus, "CPU")
        text = cpus if self.cpus == self.all_cpus else f"{self.cpus} of {cpus}"
        if self.memory:
            all_gb, gb = (f"{each / 1e9:.1f}" for each in (self.all_memory, self.memory))
            text += f", {gb if gb == all_gb else f'{gb} of {all_gb}'} GB of memory"
        if (self.cpus, self.memory) == (self.all_cpus, self.all_memory):
            return text
        return f"{text} ({f'limits of Slurm job {self.job}' if self.job else 'by its limits'})"


def allowance(
    environment: Mapping[str, str] = os.environ, groups: ControlGroups | None = None
) -> Allowance:
    """What this process may use: by the scheduler, its control groups, and the job it is in.

    Slurm may be set up to count what a job has without holding it to that; the job keeps to it
    all the same.

    Args:
        environment: Says what a job was given.
        groups: This process's control groups; None to ask the kernel.
    """
    groups = groups or ControlGroups()
    all_cpus, all_memory = os.cpu_count() or 1, _memory_of_machine()
    job = environment.get("SLURM_JOB_ID", "")
    given = _given(environment, "SLURM_CPUS_ON_NODE") if job else 0
    quota = groups.cpus()
    cpus = [len(os.sched_getaffinity(0)), *([int(quota)] if quota else []), *filter(None, [given])]
    memory = [all_memory, groups.memory() or 0, _memory_of_job(environment, given) if job else 0]
    return Allowance(
        max(1, min(cpus)), all_cpus, min(filter(None, memory), default=0), all_memory, job
    )


def _memory_of_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _memory_of_job(environment: Mapping[str, str], cpus: int) -> int:
    """Bytes that a job was given on this node; 0 where it was given all, or nobody says."""
    whole = _given(environment, "SLURM_MEM_PER_NODE")
    return (whole or _given(environment, "SLURM_MEM_PER_CPU") * cpus) * _MIB


def _given(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name, "")
    return int(text) if text.isdigit() else 0


def crowded_memory(concurrent: int, memory: int) -> str:
    """What to say where the memory is too little for so many trainings; empty where it is not.

    Args:
        concurrent: Trainings at the same time.
        memory: Bytes that they may use together; 0 where that is not known.
    """
    needed = concurrent * _TRAINING + _DRIVER
    if not memory or memory >= needed:
        return ""
    return (
        f"{words.count(concurrent, 'trial')} at once may use {memory / 1e9:.1f} GB of memory: a "
        f"training takes about {_TRAINING / 1e9:.0f} GB and the driver as much, "
        f"{needed / 1e9:.1f} GB in all; the kernel kills what takes more"
    )


def check_allowance(found: Allowance, concurrent: int = 1) -> Check:
    """The line of a check-up about CPUs and memory.

    Args:
        found: What there is.
        concurrent: Trainings at the same time.
    """
    if short := crowded_memory(concurrent, found.memory):
        asks = "ask Slurm for more (--mem)" if found.job else "give this process more memory"
        fewer = ", or train fewer at once with --max-concurrent" if concurrent > 1 else ""
        return Check("machine", Result.WARN, f"{found}; {short}", f"{asks}{fewer}")
    return Check("machine", Result.OK, str(found))
