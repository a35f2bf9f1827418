"""The container engine in a check-up: what it says of itself, and what that means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from automl.checkup import Check, Result
from automl.gpus import Gpu
from automl.study.records import FailureClass
from automl.trainers.base import Problem
from automl.trainers.docker.engine import EngineAway, connect
from automl.trainers.docker.images import image_to_run, missing_image
from automl.trainers.docker.options import DockerOptions, size_bytes
from automl.trainers.docker.probe import Probed, probe_gpus
from automl.trainers.entry import Examined
from automl.trainers.shared_memory import shm_bytes

__all__ = ["EngineFacts", "check_engine", "engine_facts", "examine", "gpus_of_trials"]

_RUNTIME = "NVIDIA runtime"
_INSTALL = (
    "on the engine's machine, install the NVIDIA Container Toolkit, then: "
    "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
)
_UNKNOWN = "unknown device"
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the container engine says of itself.

    Attributes:
        error: Why it does not answer; empty if it does.
        address: Where it is.
        version: Its version.
        runtimes: Its container runtimes.
        image: The image that trials would run in.
        image_id: What that image is; empty if the engine does not have it.
        missing: What to say of an image that is not there.
        probe: What became of a container that asked for the trials' GPUs; None if none was made.
        uuids: Those GPUs as they are named outside of it.
    """

    error: str = ""
    address: str = ""
    version: str = ""
    runtimes: tuple[str, ...] = ()
    image: str = ""
    image_id: str = ""
    missing: Problem | None = None
    probe: Probed | None = None
    uuids: tuple[str, ...] = ()


def examine(examined: Examined) -> Iterator[Check]:
    """Engine, image, GPUs and shared memory of a study's containers."""
    options = DockerOptions.from_options(examined.options)
    resources = examined.resources
    held = gpus_of_trials(resources.gpus_per_trial, resources.gpu_ids, examined.gpus)
    yield from check_engine(engine_facts(image_to_run(examined.skill, "train", options), held))
    wanted = shm_bytes(examined.workers, examined.batch, resources.gpus_per_trial)
    given = size_bytes(options.shm_size) if options.shm_size else wanted
    yield Check("shared memory", Result.OK, f"each container gets {given / _GIB:.0f} GiB")


def gpus_of_trials(
    per_trial: int, ids: Sequence[int] | None, gpus: Sequence[Gpu]
) -> tuple[Gpu, ...]:
    """The GPUs that one trial or another will hold.

    Args:
        per_trial: How many each trial holds.
        ids: Indices of those the study may use; None for all.
        gpus: Those of this machine.
    """
    return tuple(gpu for gpu in gpus if ids is None or gpu.index in ids) if per_trial else ()


def engine_facts(image: str | None = None, gpus: Sequence[Gpu] = ()) -> EngineFacts:
    """The engine, whether it has an image, and whether a container of that gets the GPUs.

    Args:
        image: The image of the trials; None where it is not known yet.
        gpus: What trials will hold.
    """
    try:
        engine = connect()
        present = engine.image(image) if image else None
        asked = [str(gpu.index) for gpu in gpus] if present is not None else []
        return EngineFacts(
            address=engine.address,
            version=engine.version(),
            runtimes=engine.runtimes(),
            image=image or "",
            image_id="" if present is None else present.id,
            missing=None if image is None else missing_image(image, engine),
            probe=probe_gpus(engine, image, asked) if image and asked else None,
            uuids=tuple(gpu.uuid for gpu in gpus),
        )
    except EngineAway as error:
        return EngineFacts(error=str(error))


def check_engine(facts: EngineFacts) -> Iterator[Check]:
    """Engine, image and NVIDIA runtime."""
    if facts.error:
        fix = "start it, or say where it is with DOCKER_HOST; check that you may use its socket"
        yield Check("docker engine", Result.FAIL, facts.error, fix)
        return
    yield Check("docker engine", Result.OK, f"{facts.version} at {facts.address}")
    if facts.missing is not None:
        yield Check("image", Result.FAIL, f"{facts.missing.rule}: {facts.missing.got}",
                    facts.missing.fix)  # fmt: skip
    elif facts.image:
        # A study that there is runs in what it recorded, whatever the name stands for now.
        is_id = facts.image.startswith("sha256:")
        name = "what the study began with" if is_id else facts.image
        yield Check("image", Result.OK, f"{name} is here, {facts.image_id[:19]}")
    yield _by_name(facts) if facts.probe is None else _by_probe(facts.probe, facts.uuids)


def _by_name(facts: EngineFacts) -> Check:
    """What the engine's list of runtimes suggests, where no container was made."""
    if any("nvidia" in runtime for runtime in facts.runtimes):
        return Check(_RUNTIME, Result.OK, "known to the engine; no container has asked for a GPU")
    known = ", ".join(facts.runtimes) or "none"
    detail = f"not among the engine's runtimes ({known}); trials on GPUs need it"
    return Check(_RUNTIME, Result.WARN, detail, _INSTALL)


def _by_probe(probe: Probed, outside: Sequence[str]) -> Check:
    names = ", ".join(probe.gpus)
    asked = f"GPU {names}" if len(probe.gpus) == 1 else f"GPUs {names}"
    if probe.refusal:
        detail = f"a probe container that asks for {asked}: {probe.refusal}"
        return Check(_RUNTIME, Result.FAIL, detail, _fix(probe))
    if probe.error:
        detail = f"a probe container got {asked}, but nvidia-smi in it: {probe.error}"
        fix = "restart the engine; if it stays, install a driver and a toolkit that fit together"
        return Check(_RUNTIME, Result.FAIL, detail, fix)
    got = f"a probe container got {asked} in {probe.seconds:.1f} s"
    if probe.uuids is None:
        return Check(_RUNTIME, Result.OK, got)
    if set(probe.uuids) == set(outside):
        return Check(_RUNTIME, Result.OK, f"{got}, the same as outside")
    seen, meant = ", ".join(probe.uuids) or "none", ", ".join(outside) or "none"
    detail = f"{got}, but it sees {seen} where {meant} is meant"
    return Check(_RUNTIME, Result.FAIL, detail, "run automl on the engine's machine (DOCKER_HOST)")


def _fix(probe: Probed) -> str:
    if _UNKNOWN in probe.refusal:
        return "choose with --gpus among those that nvidia-smi -L lists on the engine's machine"
    if probe.failure is FailureClass.GPU:
        return _INSTALL
    return "make a container of the image start: docker run --rm --gpus all IMAGE true"
