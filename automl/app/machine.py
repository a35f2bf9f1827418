"""What this machine offers a study: CPU threads it may use, and NVIDIA GPUs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from automl.app.allowance import allowance, crowded_memory
from automl.errors import FixInput, PrepareMachine
from automl.gpus import Gpu, read_gpus, visible_gpus
from automl.reports import words
from automl.settings.layers import Layer, Settings
from automl.skill.keys import NetworkKeys
from automl.study.config import Resources
from automl.study.gpu_claims import Claim, claimed

__all__ = [
    "Machine",
    "choose_resources",
    "detect_machine",
    "gpus_per_trial",
    "shared_out",
    "trials_per_gpu",
]

_UUID = "GPU-"


@dataclass(frozen=True, slots=True)
class Machine:
    """What a study may use here.

    Attributes:
        cpus: CPUs that this process may use.
        gpus: In index order.
        held: UUID of each GPU that a study trains on to that study.
        memory: Bytes of memory that this process may use; 0 where that is not known.
    """

    cpus: int
    gpus: tuple[Gpu, ...] = ()
    held: Mapping[str, Claim] = field(default_factory=dict)
    memory: int = 0


def detect_machine() -> Machine:
    """What of this machine a study may use, as the system and the NVIDIA driver report it."""
    gpus = tuple(visible_gpus(read_gpus()))
    held = claimed([gpu.uuid for gpu in gpus])
    allowed = allowance()
    return Machine(allowed.cpus, gpus, held, allowed.memory)


def choose_resources(
    settings: Settings, machine: Machine, num_gpus: int, *, searches: bool
) -> tuple[Resources, tuple[str, ...]]:
    """How many trials run at once and on what, with notes for the reader.

    With GPUs, each trial holds as many of them as the spec says, or shares one with others, and
    as many trials run as fit. Without, trials train on the CPU, one for each CPU, since two
    trainings of one thread each finish sooner than one of two threads after the other.

    Args:
        settings: ``gpus``, ``gpus_per_trial``, ``trials_per_gpu``, ``max_concurrent`` and
            ``trials`` are read from here.
        machine: What there is.
        num_gpus: GPUs of one training, as the spec says.
        searches: Whether more than one trial may run.

    Raises:
        FixInput: A GPU has no such name, or several GPUs are to be shared.
        PrepareMachine: More GPUs are asked for than there are.
    """
    from automl.app.free_gpus import free_first

    gpu_ids = _gpu_ids(settings["gpus"], settings.origin("gpus"), machine)
    given: int | None = settings["gpus_per_trial"]
    gpu_ids, in_use = free_first(gpu_ids, num_gpus if given is None else given, machine)
    available = len(machine.gpus) if gpu_ids is None else len(gpu_ids)
    per_trial = gpus_per_trial(settings, num_gpus, available)
    sharing = trials_per_gpu(settings, per_trial) if searches else 1
    room = available * sharing // per_trial if per_trial else machine.cpus
    asked = (settings["max_concurrent"] or room) if searches else 1
    concurrent = min(asked, room) if per_trial else asked
    threads = max(1, machine.cpus // concurrent)
    resources = Resources(concurrent, per_trial, gpu_ids, threads, sharing)
    trials = settings["trials"] if searches else 1
    idle = _idle(resources, trials) if settings["gpus"] else ()
    notes = (*in_use, *_remarks(resources, asked, machine), *idle)
    return resources, notes


def shared_out(settings: Settings, by_key: Collection[str], keys: NetworkKeys) -> Layer:
    """The GPUs of one plain training where several are named and nobody says how many it takes.

    Args:
        settings: ``gpus`` and ``gpus_per_trial`` are read from here.
        by_key: The dotted keys that are set.
        keys: Which settings hold the number of GPUs.

    Returns:
        The weakest of layers: all of the named ones; nothing where one is named, or none is.
    """
    named = tuple(dict.fromkeys(settings["gpus"] or ()))
    says = settings.is_given("gpus_per_trial") or keys.gpus in by_key
    if len(named) < 2 or says or not keys.gpus:
        return Layer({})
    return Layer({"gpus_per_trial": len(named)}, "the GPUs of --gpus")


def _idle(resources: Resources, trials: int) -> Iterator[str]:
    """What to say where fewer GPUs will train than were named."""
    if resources.gpu_ids is None or not resources.gpus_per_trial:
        return
    named, each = len(resources.gpu_ids), resources.gpus_per_trial
    at_once = min(trials, resources.max_concurrent)
    used = -(-at_once * each // resources.trials_per_gpu)
    if used >= named:
        return
    idle = "the other idles" if named - used == 1 else f"{named - used} idle"
    trial = words.count(at_once, "trial")
    yield (
        f"{words.count(named, 'GPU')} are named and {used} will train, {idle}: {trial} of "
        f"{words.count(each, 'GPU')} at a time; --gpus-per-trial {named} trains one trial on all "
        f"of them, and --trials {max(2, named // each)} or more, with --max-concurrent at least "
        "that, one trial on each"
    )


def _remarks(resources: Resources, asked: int, machine: Machine) -> Iterator[str]:
    """What a reader should know of the resources; ``asked`` trials at once were asked for."""
    if not resources.gpus_per_trial:
        cause = "no GPU was found" if not machine.gpus else "gpus_per_trial is 0"
        yield f"{cause}: each trial trains on the CPU"
        yield from _crowd(asked, machine.cpus)
    elif asked > resources.max_concurrent:
        room = resources.max_concurrent
        yield f"{asked} trials at once were asked for, the GPUs hold {room}"
    yield from filter(None, [crowded_memory(resources.max_concurrent, machine.memory)])


def gpus_per_trial(settings: Settings, num_gpus: int, available: int) -> int:
    """GPUs that one trial holds: as asked, else as the spec says; none where there are none.

    Raises:
        PrepareMachine: More are asked for than one trial can have.
    """
    given: int | None = settings["gpus_per_trial"]
    number = (num_gpus if available else 0) if given is None else given
    if number > available:
        raise PrepareMachine(
            "a trial must not hold more GPUs than there are",
            got=f"{number} asked for, {available} there",
            where=f"gpus_per_trial from {settings.origin('gpus_per_trial')}, or the spec",
            fix="--gpus-per-trial 0 trains on the CPU",
        )
    return number


def trials_per_gpu(settings: Settings, per_trial: int) -> int:
    """Trials that share a GPU; 1 where a trial holds none.

    Raises:
        FixInput: Trials that hold several GPUs are to share.
    """
    number: int = settings["trials_per_gpu"]
    if number > 1 and per_trial > 1:
        raise FixInput(
            "trials share a GPU where each of them needs no other",
            got=f"trials_per_gpu {number}, gpus_per_trial {per_trial}",
            where=settings.origin("trials_per_gpu"),
            fix="leave out one of the two",
        )
    return number if per_trial else 1


def _crowd(concurrent: int, cpus: int) -> list[str]:
    """What it means that more trials run at once than there are CPUs."""
    if concurrent <= cpus:
        return []
    share = words.count(cpus, "CPU")
    return [
        f"{concurrent} trials at once share {share}: each trains with one thread for "
        f"{cpus / concurrent:.0%} of the time, and needs its own memory; the search ends no "
        f"sooner than with --max-concurrent {cpus}"
    ]


def _gpu_ids(
    names: tuple[str, ...] | None, where: str, machine: Machine
) -> tuple[int, ...] | None:
    if names is None:
        return None
    try:
        ids = tuple(dict.fromkeys(_index(name, machine) for name in names))
    except ValueError:
        raise FixInput(
            "GPUs must be named by their indices, or by UUIDs that are here",
            got=repr(",".join(names)),
            where=where,
            fix="write 0,1 or GPU-8f1c...; nvidia-smi -L lists both",
        ) from None
    there = {gpu.index for gpu in machine.gpus}
    missing = [index for index in ids if index not in there]
    if missing:
        raise PrepareMachine(
            "a GPU must exist to be used",
            got=f"index {missing[0]} of {len(machine.gpus)} GPUs",
            where=where,
        )
    return ids


def _index(text: str, machine: Machine) -> int:
    """The index of a GPU that is named by it, by its UUID, or by the beginning of its UUID alone.

    Raises:
        ValueError: It is neither, or more than one UUID begins so.
    """
    uuids = {gpu.uuid: gpu.index for gpu in machine.gpus}
    if text in uuids:
        return uuids[text]
    begun = [uuid for uuid in uuids if uuid.startswith(text) and text.startswith(_UUID)]
    return uuids[begun[0]] if len(begun) == 1 else int(text)
