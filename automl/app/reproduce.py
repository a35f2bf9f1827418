"""A trial trained again as it was, and whether its metric came out the same."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.app.plan import Plan
from automl.app.retrain import RetrainRequest, SourceTrial, choose, plan_again
from automl.errors import FixInput
from automl.study.folder import read_config, read_provenance
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import Measurement

__all__ = ["Reproduction", "compare", "plan_reproduction"]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Two trainings of one spec side by side.

    Attributes:
        metric: The objective.
        study: Name of the new study.
        original: Epoch to value, as the trial measured it.
        again: The same of the new training.
        others: Every other metric that both measured, to its first difference: epoch, then, now;
            None where there is none.
        drift: What of the surroundings is not what it was: name to old and new.
        threads: CPU threads of the new training.
    """

    metric: str
    study: str
    original: Mapping[int, float]
    again: Mapping[int, float]
    others: Mapping[str, tuple[int, float, float] | None] = field(default_factory=dict)
    drift: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    threads: int = 1

    @property
    def is_same(self) -> bool:
        """Whether every metric that both measured is equal at every epoch, to the last digit."""
        is_equal = bool(self.original) and self.original == self.again
        return is_equal and all(found is None for found in self.others.values())

    def __str__(self) -> str:
        n = len(self.original)
        if self.is_same:
            head = f"same: {self.metric} is equal at all {n} validations, to the last digit"
            return "\n".join([head, *self._of_others(), f"  both with {_threads(self.threads)}"])
        lines = [f"not the same: {self._difference()}"]
        lines += self._of_others()
        lines += [f"  {name}: {old} then, {new} now" for name, (old, new) in self.drift.items()]
        if not self.drift:
            lines.append(
                f"  nothing else differs, both with {_threads(self.threads)}: "
                "this training is not deterministic on its device"
            )
        return "\n".join(lines)

    def _of_others(self) -> list[str]:
        equal = [name for name, found in self.others.items() if found is None]
        lines = [f"  equal as well: {', '.join(equal)}"] if equal else []
        for name, found in self.others.items():
            if found is not None:
                epoch, old, new = found
                lines.append(f"  {name} at epoch {epoch} was {old}, now {new}")
        return lines

    def _difference(self) -> str:
        for epoch in sorted(self.original.keys() | self.again.keys()):
            old, new = self.original.get(epoch), self.again.get(epoch)
            if old != new:
                return f"{self.metric} at epoch {epoch} was {old}, now {new}"
        if self.original:
            return f"{self.metric} is equal, another metric is not"
        return f"the trial has no {self.metric} to compare with"

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {"same": self.is_same, **asdict(self)}


def plan_reproduction(request: RetrainRequest) -> tuple[Plan, SourceTrial]:
    """The plan of the same training again, and the trial that it repeats.

    Spec, seed, trainer, image and the number of CPU threads are the trial's own: sums that are
    added in another order differ in their last digits.

    Raises:
        FixInput: There is no such trial, it has measured nothing, or its data is gone.
    """
    chosen = choose(request)
    metric = chosen.config.objective.metric
    if not _values(_measured(chosen.trial.attempts[-1].folder), metric):
        raise FixInput(
            "a trial must have measured its metric to be reproduced",
            got=f"no {metric} of trial {chosen.trial.number}",
            where=str(chosen.trial.attempts[-1].folder),
            fix="automl explain says why it failed",
        )
    plan = plan_again(request, chosen, "again", {})
    threads = chosen.config.resources.threads_per_trial
    resources = replace(plan.config.resources, threads_per_trial=threads)
    note = f"trains with {_threads(threads)}, as trial {chosen.trial.number} did"
    config = replace(plan.config, resources=resources)
    return replace(plan, config=config, notes=(*plan.notes, note)), chosen


def compare(chosen: SourceTrial, plan: Plan) -> Reproduction:
    """The trial beside the training that was planned from it, which has ended."""
    metric = chosen.config.objective.metric
    paths = StudyPaths((plan.studies_dir / plan.config.name).absolute())
    attempts = [each.folder for _, each in paths.attempts(0)]
    old = _measured(chosen.trial.attempts[-1].folder)
    new = _measured(attempts[-1]) if attempts else ()
    shared = _names(old) & _names(new) - {metric}
    return Reproduction(
        metric=metric,
        study=plan.config.name,
        original=_values(old, metric),
        again=_values(new, metric),
        others={
            name: _first_difference(_values(old, name), _values(new, name))
            for name in sorted(shared)
        },
        drift=_drift(_surroundings(chosen.paths), _surroundings(paths)),
        threads=plan.config.resources.threads_per_trial,
    )


def _threads(n: int) -> str:
    return f"{n} CPU thread" if n == 1 else f"{n} CPU threads"


def _measured(folder: Path) -> tuple[Measurement, ...]:
    outcome, _ = read_outcome(AttemptPaths(folder))
    return outcome.measurements if outcome is not None else ()


def _names(measured: tuple[Measurement, ...]) -> set[str]:
    return {name for each in measured for name in each.metrics}


def _values(measured: tuple[Measurement, ...], metric: str) -> dict[int, float]:
    return {each.epoch: each.metrics[metric] for each in measured if metric in each.metrics}


def _first_difference(
    old: Mapping[int, float], new: Mapping[int, float]
) -> tuple[int, float, float] | None:
    shared = sorted(old.keys() & new.keys())
    return next(((e, old[e], new[e]) for e in shared if old[e] != new[e]), None)


def _drift(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What differs of versions, commit, machine and GPUs; paths and times always do."""
    names = sorted(before.keys() | after.keys())
    pairs = {name: (before.get(name, "absent"), after.get(name, "absent")) for name in names}
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _surroundings(paths: StudyPaths) -> dict[str, str]:
    """What a training's numbers may depend on beside its spec."""
    threads = read_config(paths).resources.threads_per_trial
    return {**dict(_facts(read_provenance(paths))), "CPU threads of a trial": str(threads)}


def _facts(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "python", str(provenance.get("python"))
    yield "automl commit", str(provenance.get("git_commit"))
    for name, version in (provenance.get("packages") or {}).items():
        yield name, str(version)
    host = provenance.get("host") or {}
    yield "machine", f"{host.get('machine')} with {host.get('cpus')} CPUs"
    for gpu in provenance.get("gpus") or ():
        yield f"GPU {gpu.get('index')}", f"{gpu.get('name')}, driver {gpu.get('driver_version')}"
    for split, facts in (provenance.get("data") or {}).items():
        yield f"{split} data", f"{facts.get('images')} images, {facts.get('objects')} objects"
