"""Builds real study folders: journal, outcomes and provenance, as a driver leaves them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna

from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import Inert, Refused, SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import (
    DataSources,
    Direction,
    Objective,
    Resources,
    SearchSettings,
    StudyConfig,
)
from automl.study.folder import NewStudy, create_folder, write_study
from automl.study.limits import Limits
from automl.study.measured import Pausing
from automl.study.outcomes import write_outcome
from automl.study.records import FailureClass, Measurement, Outcome, OutcomeState
from automl.study.storage import create_study, open_storage

METRIC = "val_3DIoU"
START = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)

SPACE = SearchSpace(
    parameters=(
        Parameter(
            "train.optim.lr",
            "float",
            FloatRange(1e-5, 1e-2, log=True),
            default=6e-5,
            bounds_from={"low": "a factor below the default", "scale": "a rate"},
        ),
        Parameter("dataset.batch_size", "int", IntRange(1, 16), default=4),
        Parameter(
            "model.backbone.model_type", "categorical", Choice(("nano", "DLA34")), default="nano"
        ),
    ),
    inert=(
        Inert(
            key="train.optim.lr_decay",
            reason="no milestone lies below the epochs",
            fix="--set train.optim.lr_steps=[6,8]",
        ),
    ),
    refused=(Refused("train.optim.momentum", "it has no range"),),
)

_OPTUNA = {
    OutcomeState.OK: optuna.trial.TrialState.COMPLETE,
    OutcomeState.PRUNED: optuna.trial.TrialState.PRUNED,
    OutcomeState.PAUSED: optuna.trial.TrialState.RUNNING,
    OutcomeState.FAILED: optuna.trial.TrialState.COMPLETE,
    OutcomeState.INTERRUPTED: optuna.trial.TrialState.RUNNING,
}


def config(name: str = "bike-fan", **changes: Any) -> StudyConfig:
    """A search of eight trials with a process trainer; ``changes`` replace fields."""
    plain = StudyConfig(
        name=name,
        skill_dir="/skills/centerpose",
        policy="on",
        policy_source="the default",
        objective=Objective(METRIC, Direction.MAXIMIZE, worst=0.0),
        data=DataSources(train="/data/bike/train", val="/data/bike/val"),
        overrides={"train.num_epochs": 10},
        search=SearchSettings(seed=7),
        limits=Limits(trials=8),
        resources=Resources(max_concurrent=2),
        keys=NetworkKeys(epochs="train.num_epochs", seed="train.seed"),
    )
    return replace(plain, **changes)


@dataclass(frozen=True, slots=True)
class Told:
    """One attempt of one trial, as a test wants it to have gone.

    Attributes:
        params: The parameters.
        curve: Objective by epoch from 0.
        state: How the attempt ended; None for one that still runs.
        failure: Class of the failure, with the state FAILED.
        evidence: Its evidence line.
        begin_s: Start in seconds after the study's own.
        seconds: Wall time.
        attempt: The attempt's number, from 1.
        source: Why it was tried.
        checkpoint: Whether a checkpoint file is left.
        metrics: More metrics, the same at each epoch.
        confirms: The trial whose settings are trained again.
        audited: Why it would have ended early, where it did not.
        gpus: GPUs that it held.
        start_s: What of ``seconds`` went by before the first epoch.
    """

    params: Mapping[str, ParamValue]
    curve: Sequence[float] = ()
    state: OutcomeState | None = OutcomeState.OK
    failure: FailureClass | None = None
    evidence: str = ""
    begin_s: float = 0.0
    seconds: float = 60.0
    attempt: int = 1
    source: str = attributes.SOURCE_SAMPLER
    checkpoint: bool = True
    metrics: Mapping[str, float] = field(default_factory=lambda: {"val_2DMPE": 0.02})
    confirms: int | None = None
    audited: str = ""
    gpus: int = 0
    start_s: float = 0.0


class StudyBuilder:
    """Writes one study folder step by step.

    Args:
        studies_dir: Where the study is made.
        study: Its configuration.
        space: What it searches.
        base_spec: The spec that every trial starts from.
        images: Split to what was counted in it; None where nobody counted.
    """

    def __init__(
        self,
        studies_dir: Path,
        study: StudyConfig | None = None,
        space: SearchSpace = SPACE,
        base_spec: Mapping[str, Any] | None = None,
        images: Mapping[str, Any] | None = None,
    ) -> None:
        self.config = config() if study is None else study
        self.space = space
        self.paths = create_folder(studies_dir, self.config.name)
        provenance = {
            "command": ["/opt/bin/automl", "run", "my study.yaml", "--name", self.config.name],
            "files": {"train schema": {"path": "schemas/train.schema.json", "sha256": "0564"}},
            "packages": {"automl": "0.1.0"},
            "host": {"name": "ws-07"},
            "seed": 7,
            **({} if images is None else {"data": images}),
        }
        request = {"trials": self.config.limits.trials}
        plain = {"digest": space.digest, **space.to_json()}
        write_study(
            self.paths, NewStudy(request, self.config, plain, dict(base_spec or {}), provenance)
        )

    @property
    def folder(self) -> Path:
        return self.paths.folder

    def add(self, number: int, told: Told) -> None:
        """Adds one attempt to the journal and, if it has ended, to the trial's folder."""
        checkpoint = self._checkpoint(number, told)
        attrs: dict[str, Any] = {
            attributes.NUMBER: number,
            attributes.ATTEMPT: told.attempt,
            attributes.SOURCE: told.source,
            attributes.PARAMS: dict(told.params),
            attributes.ASKED_AT: START.isoformat(),
        }
        if told.state is not None:
            attrs |= {
                attributes.SECONDS: told.seconds,
                attributes.GPU_SECONDS: told.seconds * told.gpus,
                attributes.EVIDENCE: told.evidence,
            }
        if told.failure is not None:
            attrs[attributes.FAILURE] = str(told.failure)
        if told.confirms is not None:
            attrs |= {attributes.CONFIRMS: told.confirms, attributes.SEED: 100 + number // 2}
        if checkpoint is not None:
            attrs[attributes.CHECKPOINT] = checkpoint
        if told.audited:
            attrs[attributes.AUDITED] = told.audited
        if told.state is OutcomeState.PAUSED:
            paused = Pausing(told.evidence, len(told.curve) - 1, checkpoint)
            attrs[attributes.PAUSED] = paused.to_json()
        self._study.add_trial(self._frozen(told, attrs))
        if told.state is not None:
            self._outcome(number, told, told.state, checkpoint)

    @cached_property
    def _study(self) -> optuna.Study:
        # Made with the first trial: a study without one has no storage.
        return create_study(open_storage(self.paths), self.config.name, self.config.objective)

    def _frozen(self, told: Told, attrs: dict[str, Any]) -> optuna.trial.FrozenTrial:
        state = optuna.trial.TrialState.RUNNING if told.state is None else _OPTUNA[told.state]
        is_complete = state is optuna.trial.TrialState.COMPLETE
        value = max(told.curve, default=0.0) if is_complete else None
        return optuna.trial.create_trial(
            state=state,
            value=value,
            user_attrs=attrs,
            intermediate_values=dict(enumerate(told.curve)),
        )

    def _checkpoint(self, number: int, told: Told) -> str | None:
        if not told.checkpoint or not told.curve:
            return None
        epoch = max(range(len(told.curve)), key=told.curve.__getitem__)
        if told.state is OutcomeState.PAUSED:
            epoch = len(told.curve) - 1
        folder = self.paths.attempt(number, told.attempt).folder
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"model_epoch_{epoch:03d}_step_{8 * (epoch + 1):05d}.pth"
        file.write_bytes(b"weights")
        return self.paths.relative(file)

    def _outcome(
        self, number: int, told: Told, state: OutcomeState, checkpoint: str | None
    ) -> None:
        begin = START + timedelta(seconds=told.begin_s)
        each_s = (told.seconds - told.start_s) / max(1, len(told.curve))
        attempt = self.paths.attempt(number, told.attempt)
        attempt.folder.mkdir(parents=True, exist_ok=True)
        epochs = max(1, len(told.curve))
        attempt.spec.write_text(f"train: {{num_epochs: {epochs}}}\n", encoding="utf-8")
        outcome = Outcome(
            number=number,
            attempt=told.attempt,
            state=state,
            measurements=tuple(
                Measurement(
                    epoch, {METRIC: value, **told.metrics}, told.start_s + each_s * (epoch + 1)
                )
                for epoch, value in enumerate(told.curve)
            ),
            failure=told.failure,
            evidence=told.evidence,
            checkpoint=checkpoint,
            checkpoint_sha256=checkpoint and sha256_of_trial(number),
            seconds=told.seconds,
            started_at=begin.isoformat(),
            ended_at=(begin + timedelta(seconds=told.seconds)).isoformat(),
        )
        write_outcome(attempt, outcome)


def sha256_of_trial(number: int) -> str:
    """What stands for the hash of a trial's checkpoint."""
    return f"{number:064x}"


def params(lr: float = 6e-5, batch: int = 4, backbone: str = "nano") -> dict[str, ParamValue]:
    """A full set of parameters."""
    return {
        "train.optim.lr": lr,
        "dataset.batch_size": batch,
        "model.backbone.model_type": backbone,
    }


def fill(builder: StudyBuilder) -> None:
    """A typical search: trial 0, better and worse ones, one pruned, two failed, one retried."""
    ok, failed, pruned = OutcomeState.OK, OutcomeState.FAILED, OutcomeState.PRUNED
    oom = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    curve = [0.0, 0.1, 0.22, 0.31, 0.30]
    builder.add(0, Told(params(), curve, ok, source=attributes.SOURCE_DEFAULT))
    builder.add(1, Told(params(1.2e-3, 8), [0.0, 0.2, 0.35, 0.41, 0.43], ok, begin_s=2))
    builder.add(
        2,
        Told(params(4e-3, 16, "DLA34"), (), failed, FailureClass.OOM, oom, 62, 12),
    )
    builder.add(3, Told(params(2e-5, 2), [0.0, 0.01], pruned, begin_s=64, seconds=25,
                        evidence="rung 2: 4th of 4"))  # fmt: skip
    builder.add(4, Told(params(9e-4, 8), [0.0, 0.25, 0.4, 0.47, 0.452], ok, begin_s=75))
    builder.add(
        5,
        Told(params(9.9e-3, 4), [0.0, 0.05], failed, FailureClass.DIVERGED,
             "loss is nan at epoch 2", 92, 30),
    )  # fmt: skip
    builder.add(
        6, Told(params(3e-4, 4), [0.0, 0.1], OutcomeState.INTERRUPTED, begin_s=136, seconds=20)
    )
    builder.add(
        6,
        Told(params(3e-4, 4), [0.0, 0.1, 0.3, 0.36, 0.38], ok, begin_s=170, attempt=2),
    )
    builder.add(7, Told(params(1.1e-3, 6), [0.0, 0.15, 0.3, 0.4, 0.42], ok, begin_s=140))


def fill_paused(builder: StudyBuilder) -> None:
    """A search with rungs: two rest at a rung, one was stopped there for good, and one went on
    so that this can be checked.
    """
    paused = OutcomeState.PAUSED
    full = [0.0, 0.0, 0.1, 0.2, 0.3, 0.35, 0.36, 0.4, 0.42]
    at_rung = "loss 6.7 at epoch 2 is 3rd of 4; predicted 0.12 +- 0.06; cut 0.19"
    builder.add(0, Told(params(), full, source=attributes.SOURCE_DEFAULT, seconds=90))
    builder.add(1, Told(params(1e-3), full[:3], paused, evidence=at_rung, begin_s=2, seconds=30))
    builder.add(2, Told(params(2e-3), full[:3], paused, evidence=at_rung, begin_s=34, seconds=30))
    builder.add(3, Told(params(9e-3), full[:3], OutcomeState.PRUNED, evidence="9th of 9",
                        begin_s=66, seconds=30))  # fmt: skip
    builder.add(4, Told(params(5e-3), [0.7 * value for value in full], begin_s=98, seconds=90,
                        audited=at_rung))  # fmt: skip


def confirm(builder: StudyBuilder, winner: int, n: int = 3) -> None:
    """The trainings with fresh seeds after ``fill``: the default's, and the winner's, in turn."""
    values = {0: (0.30, 0.33, 0.29), winner: (0.44, 0.47, 0.46)}
    number = builder.config.limits.trials
    for i in range(n):
        for confirms in (0, winner):
            told = Told(
                params() if confirms == 0 else params(9e-4, 8),
                [0.1, values[confirms][i]],
                begin_s=240 + 60 * i,
                source=attributes.SOURCE_CONFIRM,
                confirms=confirms,
            )
            builder.add(number, told)
            number += 1


def many(builder: StudyBuilder, trials: int) -> None:
    """A long search over a smooth landscape, with the odd failure."""
    places = itertools.count(1)
    for number in range(trials):
        i = next(places)
        lr = 10 ** (-5 + 3 * ((i * 0.618034) % 1)) if number else 6e-5
        batch = 1 + (i * 5) % 16 if number else 4
        top = 0.72 * math.exp(-((math.log10(lr) + 3.0) ** 2)) - 0.004 * abs(batch - 8)
        curve = [top * (1 - math.exp(-epoch / 2.5)) for epoch in range(10)]
        begin = 40.0 * (number // 2) + 7 * (number % 2)
        if number % 9 == 7:
            told = Told(params(lr, batch), curve[:2], OutcomeState.FAILED, FailureClass.OOM,
                        "CUDA out of memory", begin, 9)  # fmt: skip
        elif number % 5 == 3:
            told = Told(params(lr, batch), curve[:4], OutcomeState.PRUNED, begin_s=begin,
                        seconds=15, evidence="rung 3: below the median")  # fmt: skip
        else:
            told = Told(params(lr, batch), curve, begin_s=begin, seconds=36)
        builder.add(number, told)
