"""Carrying an action out: its folder, its program, and the record of how it ended."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automl.app.act import ActPlan
from automl.app.machine import detect_machine
from automl.errors import AutomlError, PrepareMachine
from automl.files import sha256_of, write_text
from automl.inside import read_file
from automl.signals import exit_code_of, said_of
from automl.skill.tree import get
from automl.spec.inferred import function_names
from automl.study.actions import ActionRecord, Made, write_action
from automl.study.clock import utc_now
from automl.study.layout import AttemptPaths
from automl.trainers.base import Handle, Trainer, TrialTask
from automl.trainers.contract import EXPERIMENT_NAME, STATUS_NAME, Status, StatusLine
from automl.trainers.status import finite_metrics
from automl.yamltext import dump_yaml

__all__ = ["carry_out", "ready_trainer"]

_POLL_S = 0.2
_GRACE_S = 10.0
_EVIDENCE = 300
#: Functions whose settings name a file that the action is to make.
_MAKERS = ("create_onnx_file", "create_engine_file")
_RECORDS = frozenset(
    {"spec.yaml", "log.txt", "outcome.json", STATUS_NAME, EXPERIMENT_NAME}
    | {"spec.container.yaml", "container.json"}
)


@dataclass(slots=True)
class _StatusFacts:
    """What the status file of an action says."""

    metrics: dict[str, float] = field(default_factory=dict)
    failure: str = ""


def _never() -> str:
    """For an action that runs to its end."""
    return ""


def carry_out(
    plan: ActPlan, trainer: Trainer, stopped: Callable[[], str] = _never
) -> ActionRecord:
    """Runs an action to its end and writes down how it ended.

    A program that fails is a record, not an error. Ctrl-C or another signal ends the program, is
    recorded, and goes on to the caller.

    Args:
        plan: What to do.
        trainer: What does it.
        stopped: Asked a few times a second why the program must end; empty while it may run.
    """
    paths = AttemptPaths(plan.folder)
    plan.folder.mkdir(parents=True)
    write_text(paths.spec, dump_yaml(plan.spec.tree))
    started, began = utc_now().isoformat(), time.monotonic()
    code: int | None = None
    evidence = ""
    try:
        code, evidence = _await(trainer.start(_task(plan, paths), _gpus(plan)), stopped)
    except KeyboardInterrupt as error:
        code, evidence = exit_code_of(error), said_of(error)
        raise
    except (AutomlError, OSError) as error:
        evidence = f"it could not be started: {error}"
    finally:
        seconds = time.monotonic() - began
        record = _record(plan, code, evidence, seconds, started)
        write_action(plan.folder, record)
    return record


def ready_trainer(plan: ActPlan) -> Trainer:
    """What runs the action, once it is known that it can.

    Raises:
        PrepareMachine: The trainer says what is missing on this machine.
        FixInput: The trainer does not know the action or an option.
    """
    trainer = plan.trainer.make(plan.skill, plan.options, plan.request.action)
    for problem in trainer.check():
        raise PrepareMachine(
            problem.rule, got=problem.got, where=f"trainer {plan.trainer.name}", fix=problem.fix
        )
    return trainer


def _task(plan: ActPlan, paths: AttemptPaths) -> TrialTask:
    study = plan.parent.paths.folder.name if plan.parent.paths is not None else plan.folder.name
    return TrialTask(
        study=study,
        number=plan.parent.origin.trial or 0,
        attempt=1,
        folder=plan.folder,
        spec_path=paths.spec,
        log_path=paths.log,
        threads=detect_machine().cpus,
    )


def _gpus(plan: ActPlan) -> list[str]:
    """The GPUs asked for; else one, as the study trained, where there is one."""
    if plan.request.gpus is not None:
        return list(plan.request.gpus)
    config = plan.parent.config
    if config is not None and config.resources.gpu_ids:
        return [str(config.resources.gpu_ids[0])]
    on_cpu = config is not None and not config.resources.gpus_per_trial
    return (
        [] if (on_cpu and plan.trainer.container is None) or not detect_machine().gpus else ["0"]
    )


def _await(handle: Handle, stopped: Callable[[], str]) -> tuple[int | None, str]:
    """The exit code, and why the program was ended if it was."""
    try:
        while True:
            code = handle.wait(_POLL_S)
            if code is not None:
                return code, ""
            why = stopped()
            if why:
                handle.stop(_GRACE_S)
                return None, why
    except KeyboardInterrupt:
        handle.stop(_GRACE_S)
        raise


def _record(
    plan: ActPlan, code: int | None, evidence: str, seconds: float, started: str
) -> ActionRecord:
    facts = _status(plan.folder / STATUS_NAME)
    made = dict(_made(plan))
    evidence = evidence or _evidence(plan, code, facts, made)
    return ActionRecord(
        action=plan.request.action,
        deploy=plan.request.deploy,
        trainer=plan.trainer.name,
        ok=not evidence,
        exit_code=code,
        evidence=" ".join(evidence.split())[:_EVIDENCE],
        origin=plan.parent.origin,
        command=plan.preview.command,
        data=dict(plan.spec.data),
        metrics=facts.metrics,
        made=made,
        n_files=sum(1 for _ in _results(plan.folder)),
        seconds=seconds,
        started_at=started,
        tuned="" if plan.request.tuned is None else str(plan.request.tuned),
    )


def _evidence(
    plan: ActPlan, code: int | None, facts: _StatusFacts, made: Mapping[str, Made]
) -> str:
    """What shows that the action failed; empty if it went well."""
    if code != 0:
        return facts.failure or _last_line(AttemptPaths(plan.folder).log) or f"exit code {code}"
    if facts.failure:
        return facts.failure
    missing = [key for key in _targets(plan) if key not in made]
    if missing:
        return f"it exited with 0 and made no {get(plan.spec.tree, missing[0])}"
    return ""


def _targets(plan: ActPlan) -> list[str]:
    names = function_names(plan.spec.rules)
    prefix = f"{plan.request.action}."
    return [key for key, name in names.items() if name in _MAKERS and key.startswith(prefix)]


def _made(plan: ActPlan) -> Iterator[tuple[str, Made]]:
    for key in _targets(plan):
        path = Path(str(get(plan.spec.tree, key, "")))
        if path.is_file() and path.resolve().is_relative_to(plan.folder.resolve()):
            name = str(path.relative_to(plan.folder))
            yield key, Made(name, sha256_of(path), path.stat().st_size)


def _status(path: Path) -> _StatusFacts:
    facts = _StatusFacts()
    for text in _lines(path):
        line = StatusLine.parse(text)
        if line is None:
            continue
        facts.metrics |= finite_metrics(line.kpi)
        if line.status == Status.FAILURE:
            facts.failure = line.message
    return facts


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in _lines(log)]
    return next((line for line in reversed(lines) if line), "")


def _lines(path: Path) -> list[str]:
    """The lines of what an action wrote; none of a file that is not there, or is a link."""
    try:
        with read_file(path) as file:
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def _results(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name not in _RECORDS
            and path.suffix != ".pid"
        ):
            yield path
