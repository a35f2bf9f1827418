"""What a Ray cluster offers a study, and what a check-up says of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from automl.app.drive import store_of
from automl.app.machine import Machine, gpus_per_trial, trials_per_gpu
from automl.app.trainer_choice import choose_trainer
from automl.checkup import Check, Result, refused
from automl.errors import AutomlError, FixInput, PrepareMachine
from automl.execution.cluster.need import Need
from automl.execution.cluster.survey import Survey, survey
from automl.execution.driver import TrainerChoice
from automl.reports import words
from automl.settings.layers import Settings
from automl.skill.model import Skill
from automl.study.config import Resources, StudyConfig
from automl.study.study_store import StoreError, StudyStore

__all__ = ["as_machine", "check_cluster", "cluster_resources", "survey_of"]


def survey_of(
    settings: Settings, skill: Skill, data: Sequence[str], *, searches: bool
) -> Survey | None:
    """The cluster that a search is to run on, its nodes probed; None for this machine.

    Raises:
        FixInput: Another setting asks for what a cluster cannot give.
        PrepareMachine: There is no such cluster.
    """
    address: str = settings["ray_address"] or ""
    if settings["study_store"] and searches and not address:
        raise FixInput(
            "a study store is for the nodes of a Ray cluster",
            got="study_store without ray_address",
            where=settings.origin("study_store"),
            fix="give --ray-address auto or HOST:PORT too",
        )
    if not address or not searches:
        return None
    where = settings.origin("ray_address")
    if settings["gpus"] is not None:
        raise FixInput(
            "GPUs are named by their indices where trials run on this machine alone",
            got="gpus together with ray_address",
            where=where,
            fix="leave out --gpus; ray start --num-gpus says what a node offers",
        )
    chosen = choose_trainer(settings, skill, searches=searches)
    return survey(address, data, trainer=TrainerChoice(chosen.name, skill, chosen.options))


def cluster_resources(
    settings: Settings, found: Survey, num_gpus: int
) -> tuple[Resources, tuple[str, ...]]:
    """How many trials run at once on a cluster and on what, with notes for the reader.

    A trial takes whole GPUs of one node, or shares one, and its part of that node's CPUs; on the
    CPU it takes one.

    Args:
        settings: ``gpus_per_trial``, ``trials_per_gpu`` and ``max_concurrent`` are read from here.
        found: The cluster.
        num_gpus: GPUs of one training, as the spec says.

    Raises:
        PrepareMachine: No node is fit, or none has as many GPUs as one trial needs.
    """
    if not found.fit:
        raise _nothing_fit(found)
    most = max(node.gpus for node in found.fit)
    per_trial = gpus_per_trial(settings, num_gpus, int(most))
    sharing = trials_per_gpu(settings, per_trial)
    able = [node for node in found.fit if node.gpus >= per_trial]
    held = per_trial / sharing
    threads = max(1, int(min(node.cpus * held / node.gpus for node in able))) if held else 1
    need = Need(threads, held)
    room = sum(need.fits(node.cpus, node.gpus) for node in able)
    if not room:
        raise _nothing_fit(found)
    asked = settings["max_concurrent"]
    resources = Resources(asked or room, per_trial, None, threads, sharing)
    return resources, tuple(_notes(found, asked, room))


def _notes(found: Survey, asked: int | None, room: int) -> Iterator[str]:
    for node in found.nodes:
        if node.refused or node.note:
            yield f"node {node}"
    if asked and asked > room:
        yield (
            f"{asked} trials at once were asked for, the cluster holds {room} now: "
            "the others wait for nodes to come"
        )


def _nothing_fit(found: Survey) -> PrepareMachine:
    return PrepareMachine(
        "a node of the cluster must be fit for a trial",
        got="; ".join(map(str, found.nodes)) or "no node",
        where=f"--ray-address {found.address}",
        fix="each says what keeps it out; all nodes need the driver's own versions",
    )


def as_machine(found: Survey) -> Machine:
    """All fit nodes together, for what reckons with one machine."""
    return Machine(max(1, int(sum(node.cpus for node in found.fit))))


def check_cluster(
    config: StudyConfig, skill: Skill, folder: Path, data: Sequence[str]
) -> Iterator[Check]:
    """The lines of a check-up about a study's cluster: one for itself, one for each node.

    Args:
        config: What the study asks for.
        skill: Whose command will run.
        folder: A folder that every node must see and write to.
        data: Folders and files that trainings read.
    """
    trainer = TrainerChoice(config.trainer, skill, config.trainer_options)
    try:
        if store := store_of(config):
            StudyStore(store).snapshots().try_out()
        found = survey(config.ray_address, data, folder, trainer, store)
    except StoreError as error:
        fix = "check the address, the bucket and the credentials in the environment"
        yield Check("study store", Result.FAIL, f"{config.study_store}: {error}", fix)
        return
    except AutomlError as error:
        yield refused("cluster", error)
        return
    fit = f"{len(found.fit)} of {words.count(len(found.nodes), 'node')} fit for trials"
    result = Result.OK if found.fit else Result.FAIL
    yield Check("cluster", result, f"{found}: {fit}")
    for node in found.nodes:
        is_ok = not node.refused and not node.note
        fix = "give it the driver's versions, the studies folder and the data" * bool(node.refused)
        yield Check("node", Result.OK if is_ok else Result.WARN, str(node), fix)
