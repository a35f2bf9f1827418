"""``automl doctor``: whether this machine can run a study, found out before anything is spent."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from automl.app.allowance import allowance, check_allowance
from automl.app.cluster import check_cluster
from automl.app.doctor_checks import (
    DiskFacts,
    FolderFacts,
    check_disk,
    check_folder,
    check_gpus,
)
from automl.app.doctor_study import (
    Subject,
    check_batches,
    check_inputs,
    check_shared,
    check_space,
    check_splits,
)
from automl.app.drive import is_elsewhere
from automl.app.explain import explain_trial
from automl.app.lock_check import file_system, lock_problem
from automl.app.named_paths import named_paths
from automl.app.networks import network_of
from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.app.run import start
from automl.app.screen import Silent
from automl.app.sharing import trial_values
from automl.app.skill_facts import check_credentials
from automl.checkup import Check, Result, refused
from automl.data.checks import SplitFacts
from automl.data.leak_memory import known_leak
from automl.data.overlap import shared_images
from automl.errors import AutomlError
from automl.gpus import Gpu, read_gpus, visible_gpus
from automl.reports.summary import read_summary
from automl.skill.keys import NetworkKeys
from automl.skill.policy import Policy
from automl.study.config import Keep, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.trainers.checkpoints import checkpoints_in
from automl.trainers.entry import Examined, TrainerEntry
from automl.trainers.metrics.table import make_reader
from automl.trainers.pace import pace_of
from automl.trainers.process_entry import check_packages, missing_packages
from automl.trainers.table import DEFAULT, all_trainers, trainer_entry

__all__ = ["examine", "examine_machine"]

#: A checkpoint holds each parameter with two of Adam's moments, four bytes each.
_BYTES_A_PARAMETER = 12
#: Metrics beside the objective that are named.
_MOST_NAMES = 12


def examine(
    request: PlanRequest, study: StudyPaths | None = None, *, deep: bool = False
) -> Iterator[Check]:
    """Everything that can be found out about a study before it runs.

    Args:
        request: The study that would be run; not looked at where ``study`` is given.
        study: A study that there is.
        deep: Whether to train one epoch too.
    """
    try:
        subject = _subject(request, study)
    except AutomlError as error:
        yield from examine_machine(request.studies_dir)
        yield from _engine(str(request.flags.get("trainer") or DEFAULT.name))
        yield refused("study", error)
        return
    gpus = visible_gpus(read_gpus())
    entry = trainer_entry(subject.config.trainer)
    if not is_elsewhere(subject.config):
        yield check_allowance(allowance(), subject.config.resources.max_concurrent)
    yield from check_gpus(gpus, are_needed=_needs_gpus(entry, subject))
    if entry.container is None or not is_elsewhere(subject.config):
        yield from entry.check_up(_examined(subject, gpus))
    yield from _left_out()
    yield from check_credentials(subject.skill, subject.config)
    yield from check_inputs(subject)
    yield from check_splits(subject.data)
    each = subject.config.resources.gpus_per_trial
    batches = check_batches(subject.data, subject.largest_batch, each, subject.config.keys.batch)
    yield from (batches,) if batches else ()
    yield from _shared(subject.data)
    yield from check_space(subject.space)
    yield check_disk(_disk(subject, request.studies_dir))
    yield from check_folder(folder_facts(request.studies_dir), is_root=os.geteuid() == 0)
    yield from _cluster(subject, _existing(request.studies_dir))
    if deep and study is None:
        yield try_one_epoch(request, subject.config.keys)


def _cluster(subject: Subject, studies: Path) -> Iterator[Check]:
    """The cluster that trials are to run on, where they do."""
    if subject.config.ray_address:
        reads = named_paths(subject.config, subject.base_spec, subject.space, studies)
        yield from check_cluster(subject.config, subject.skill, studies, reads)


def _shared(data: Mapping[str, SplitFacts]) -> Iterator[Check]:
    """Images that are trained on and validated on, where both splits are here."""
    if {"train", "val"} <= data.keys():
        train, val = data["train"], data["val"]
        known = known_leak(train.root, val.root)
        n_shared = len(shared_images(train.root, val.root))
        yield check_shared(n_shared, val.images, 0 if known is None else known.count)


def _subject(request: PlanRequest, study: StudyPaths | None) -> Subject:
    return Subject.of_plan(make_plan(request)) if study is None else Subject.of_study(study)


def examine_machine(studies_dir: Path) -> Iterator[Check]:
    """What can be said of a machine without a study."""
    yield check_allowance(allowance())
    yield from check_gpus(visible_gpus(read_gpus()), are_needed=False)
    yield check_packages(missing_packages())
    yield from _left_out()
    usage = shutil.disk_usage(_existing(studies_dir))
    yield check_disk(DiskFacts(usage.free, usage.total))
    yield from check_folder(folder_facts(studies_dir), is_root=os.geteuid() == 0)


def _needs_gpus(entry: TrainerEntry, subject: Subject) -> bool:
    """Whether trials run in an image that cannot do without GPUs."""
    container, options = entry.container, subject.config.trainer_options
    return container is not None and container.needs_gpus(subject.skill, options)


def _engine(trainer: str) -> Iterator[Check]:
    """What is known of a trainer's container engine, though not of the study."""
    entry = all_trainers().entries.get(trainer)
    if entry is not None and entry.container is not None:
        yield from entry.container.examine_engine()


def _examined(subject: Subject, gpus: Sequence[Gpu]) -> Examined:
    return Examined(
        trainer=subject.config.trainer,
        skill=subject.skill,
        options=subject.config.trainer_options,
        resources=subject.config.resources,
        gpus=tuple(gpus),
        workers=subject.number(subject.config.keys.workers, 0),
        batch=subject.largest_batch,
    )


def _left_out() -> Iterator[Check]:
    """Installed trainers that cannot be used."""
    for broken in all_trainers().broken:
        yield Check("trainer", Result.WARN, str(broken), f"fix or remove {broken.package}")


def _disk(subject: Subject, studies_dir: Path) -> DiskFacts:
    config = subject.config
    usage = shutil.disk_usage(_existing(studies_dir))
    keys = config.keys
    epochs = subject.number(keys.epochs, 1)
    return DiskFacts(
        free_bytes=usage.free,
        total_bytes=usage.total,
        checkpoint_bytes=_checkpoint_bytes(subject),
        trials=config.limits.trials,
        per_trial=max(1, epochs // max(1, subject.number(keys.checkpoint_interval, 1))),
        concurrent=config.resources.max_concurrent,
        keeps_all=config.keep is Keep.ALL,
        kept=2 if config.keep is Keep.LAST else 1,
    )


def _checkpoint_bytes(subject: Subject) -> int:
    """The largest checkpoint of the study so far, else by the largest network it may train."""
    if subject.paths is not None:
        folders = subject.paths.trials.glob("*/*")
        sizes = [one.path.stat().st_size for at in folders for one in checkpoints_in(at)]
        if sizes:
            return max(sizes)
    network = network_of(subject.skill)
    if network is None:
        return 0
    forecast = network.forecast(subject.base_spec, trial_values(subject.space))
    return int(forecast.parameters * 1e6 * _BYTES_A_PARAMETER) if forecast else 0


def folder_facts(folder: Path) -> FolderFacts:
    """The folder of studies as this user finds it."""
    above = _existing(folder)
    error = ""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor.", dir=above):
            pass
    except OSError as refused_by:  # rights alone do not tell: a mount may be read-only
        error = f"nothing can be made in {above}: {refused_by.strerror}"
    foreign: list[str] = []
    if folder.is_dir() and os.access(folder, os.R_OK):
        foreign = [e.name for e in os.scandir(folder) if e.stat().st_uid != os.geteuid()]
    locks = "" if error else lock_problem(above)
    return FolderFacts(folder, error, file_system(above), tuple(sorted(foreign)), locks)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(above for above in (folder, *folder.parents) if above.exists())


def try_one_epoch(request: PlanRequest, keys: NetworkKeys) -> Check:
    """Trains one epoch in a folder of its own and looks for the metric in what it wrote."""
    decided = {"policy": Policy.OFF, "name": "doctor", "set": dict.fromkeys(keys.once, 1)}
    above = _existing(request.studies_dir)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".doctor.", dir=above))
        try:
            plan = make_plan(
                replace(
                    request,
                    studies_dir=Path(folder),
                    decided=decided,
                    decided_by="automl doctor --deep",
                )
            )
            ending = start(plan, Silent())
        except AutomlError as error:
            return refused("metric", error)
        summary = read_summary(ending.paths.folder)
        if summary.winner is not None:
            found = _found(ending.paths, plan.config)
            detail = f"{summary.objective.metric} seen {found}, {_times(ending.paths)}"
            return Check("metric", Result.OK, detail)
        account = explain_trial(summary, 0)
        return Check("metric", Result.FAIL, f"one epoch failed: {account.evidence}", account.hint)


def _found(paths: StudyPaths, config: StudyConfig) -> str:
    """Where the metrics of the one epoch were, and what else was there."""
    if not config.metrics.has_epochs:
        return f"in {config.metrics.words}"
    metric = config.objective.metric
    reader = make_reader(config.metrics, paths.attempt(0, 1), metric)
    reader.read(final=True)
    said = reader.said()
    others = sorted(said.metrics - {metric})
    beside = f" beside {', '.join(others[:_MOST_NAMES])}" if others else ""
    return f"in {said.where or config.metrics.words} after one epoch{beside}"


def _times(paths: StudyPaths) -> str:
    """What one epoch took, and the start before it."""
    attempt = paths.attempt(0, 1)
    outcome, _ = read_outcome(attempt)
    seconds = 0.0 if outcome is None else outcome.seconds
    pace = pace_of(attempt.folder, seconds)
    if pace is None:
        return f"{seconds:.0f} s with the start of the training"
    return f"{pace.epoch_s:.1f} s, and {pace.start_s:.1f} s to start and end a training"
