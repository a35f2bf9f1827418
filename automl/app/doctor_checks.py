"""What facts about a machine and a study mean: pure functions from facts to lines of a check-up.

Nothing here looks at the machine: ``doctor`` gathers what these functions judge, so that
every finding can be tested without the hardware that causes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.app.lock_check import ALTERNATIVES, NETWORK_FILE_SYSTEMS
from automl.checkup import Check, Result
from automl.gpus import Gpu
from automl.reports import words

__all__ = [
    "DiskFacts",
    "FolderFacts",
    "check_disk",
    "check_folder",
    "check_gpus",
    "summary_of",
]

#: What the skill's own documentation asks for.
_MIN_GPU_MIB = 16_000
_GOOD_GPUS = 2
_BUSY_MIB = 500
#: Part of the disk below which a search should not begin.
_LEAST_FREE = 0.1


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The folder that studies are written to, or the nearest one above that exists.

    Attributes:
        folder: The folder of studies itself.
        error: Why no folder can be made there; empty if one can.
        file_system: Kind of its file system; empty if unknown.
        foreign: Entries in it that belong to another user.
        locks: What is wrong with its locks, as two processes tried them; empty if they hold.
    """

    folder: Path
    error: str = ""
    file_system: str = ""
    foreign: tuple[str, ...] = ()
    locks: str = ""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Disk that a study will want.

    Attributes:
        free_bytes: Free on the disk of the studies.
        total_bytes: Size of that disk.
        checkpoint_bytes: About the size of one checkpoint; 0 if unknown.
        trials: Trials that will run.
        per_trial: Checkpoints that one trial writes.
        concurrent: Trials at the same time.
        keeps_all: Whether every checkpoint outlives its trial.
        kept: Checkpoints that outlive a trial where not all do.
    """

    free_bytes: int
    total_bytes: int
    checkpoint_bytes: int = 0
    trials: int = 1
    per_trial: int = 1
    concurrent: int = 1
    keeps_all: bool = False
    kept: int = 1

    def needed(self, *, keeps_all: bool) -> int:
        """Bytes at the fullest moment: what is kept, and the two newest of each running trial."""
        kept = self.trials * (self.per_trial if keeps_all else min(self.kept, self.per_trial))
        return (kept + 2 * self.concurrent) * self.checkpoint_bytes


def check_gpus(gpus: Sequence[Gpu], *, are_needed: bool) -> Iterator[Check]:
    """How many GPUs there are, how large, and who uses them.

    Args:
        gpus: Those of this machine.
        are_needed: Whether the trainer cannot do without: that of NVIDIA's image cannot.
    """
    if not gpus:
        detail = "none: nvidia-smi is missing or does not answer"
        fix = "install the NVIDIA driver"
        if are_needed:
            yield Check("GPUs", Result.FAIL, detail, f"{fix}: NVIDIA's image trains on GPUs alone")
        else:
            fix += ", or train a small network on the CPU"
            yield Check("GPUs", Result.WARN, detail, fix)
        return
    names = ", ".join(f"{gpu.name} {gpu.memory_total_mib / 1024:.0f} GiB" for gpu in gpus)
    small = [gpu for gpu in gpus if 0 < gpu.memory_total_mib < _MIN_GPU_MIB]
    if small:
        which = ", ".join(str(gpu.index) for gpu in small)
        fix = "lower the batch size, or leave them out with --gpus"
        yield Check("GPUs", Result.WARN, f"{names}; GPU {which} has less than 16 GB", fix)
    elif len(gpus) < _GOOD_GPUS:
        yield Check("GPUs", Result.OK, f"{names}; two or more search twice as fast")
    else:
        yield Check("GPUs", Result.OK, names)
    yield Check("driver", Result.OK, gpus[0].driver or "version unknown")
    yield from (_use(gpu) for gpu in gpus if gpu.processes or gpu.memory_used_mib > _BUSY_MIB)


def _use(gpu: Gpu) -> Check:
    who = ", ".join(f"pid {one.pid} {one.name}" for one in gpu.processes) or "an unseen process"
    detail = f"GPU {gpu.index}: {gpu.memory_used_mib / 1024:.1f} GiB taken by {who}"
    return Check("GPU in use", Result.WARN, detail, "wait for it, or choose others with --gpus")


def check_disk(facts: DiskFacts) -> Check:
    """Whether the checkpoints of the search fit on the disk."""
    free, needed = facts.free_bytes, facts.needed(keeps_all=facts.keeps_all)
    detail = f"{free / 1e9:.1f} GB free"
    if facts.checkpoint_bytes:
        every = facts.needed(keeps_all=True)
        detail += f", about {needed / 1e9:.1f} GB needed"
        detail += (
            "" if facts.keeps_all else f" ({every / 1e9:.1f} GB if all checkpoints were kept)"
        )
    if needed > free:
        least = facts.needed(keeps_all=False)
        fix = "free space, or choose another --studies-dir"
        if facts.keeps_all and least <= free:
            fix = "--keep best"
        return Check("disk", Result.FAIL, detail, fix)
    if free - needed < _LEAST_FREE * facts.total_bytes:
        return Check("disk", Result.WARN, f"{detail}; little would be left", "free some space")
    return Check("disk", Result.OK, detail)


def check_folder(facts: FolderFacts, *, is_root: bool) -> Iterator[Check]:
    """Where studies are written: whether one may, whose files they are, what the disk is."""
    if facts.error:
        fix = "choose another --studies-dir, or give yourself the right to write there"
        yield Check("studies folder", Result.FAIL, f"{facts.folder}: {facts.error}", fix)
    elif facts.foreign:
        first = f"{len(facts.foreign)} entries of another user, first {facts.foreign[0]}"
        fix = f"sudo chown -R $(id -u):$(id -g) {facts.folder}"
        yield Check("studies folder", Result.WARN, f"{facts.folder}: {first}", fix)
    else:
        owner = "as root: results will belong to root" if is_root else "as you"
        yield Check("studies folder", Result.OK, f"{facts.folder} can be written, {owner}")
    if facts.locks:
        detail = f"{facts.folder}: {facts.locks}"
        yield Check("file locks", Result.FAIL, detail, ALTERNATIVES)
    elif facts.file_system.lower().startswith(NETWORK_FILE_SYSTEMS):
        detail = f"{facts.folder} is on {facts.file_system}: other machines may not see its locks"
        fix = "drive a study from one machine, or keep studies on a local disk"
        yield Check("file system", Result.WARN, detail, fix)


def summary_of(checks: Sequence[Check]) -> str:
    """``1 error, 2 warnings``."""
    n_failed = sum(check.result is Result.FAIL for check in checks)
    n_warned = sum(check.result is Result.WARN for check in checks)
    return f"{words.count(n_failed, 'error')}, {words.count(n_warned, 'warning')}"
