"""What a study is asked to do, resolved: every setting, and the origin of its value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from automl.errors import FixInput
from automl.field_types import check_fields
from automl.skill.asked import Asked, Frozen, parse_freeze, parse_search
from automl.skill.keys import NetworkKeys
from automl.skill.metric_source import STATUS_FILE, MetricSource
from automl.skill.signals import Signal
from automl.study.earlier import Earlier
from automl.study.limits import Limits

__all__ = [
    "FAKE_TRAINER",
    "DataSources",
    "Direction",
    "Keep",
    "Objective",
    "Resources",
    "SearchSettings",
    "StudyConfig",
]

FORMAT = 1
#: The trainer that makes its numbers up.
FAKE_TRAINER = "scripted"


class Direction(StrEnum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Keep(StrEnum):
    """Which checkpoints outlive a finished trial.

    ``best`` keeps that of the best epoch, and where the metric never moved the last one too, since
    no epoch is then better than another. ``last`` keeps both always, ``all`` every one.
    """

    BEST = "best"
    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric that the search improves, and which way is better.

    Attributes:
        metric: Name of the metric in the trainer's status file.
        direction: Which way is better; never guessed from the name.
        worst: The worst value the metric can take, if it has one; a configuration that broke the
            training is reported to the sampler with this value.
    """

    metric: str
    direction: Direction
    worst: float | None = None

    def loss(self, value: float) -> float:
        """The value turned so that lower is better."""
        return -value if self.direction is Direction.MAXIMIZE else value

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether ``value`` beats ``than`` strictly; anything beats None."""
        return than is None or self.loss(value) < self.loss(than)


@dataclass(frozen=True, slots=True)
class Resources:
    """What the trials run on.

    Attributes:
        max_concurrent: Trials that run at the same time; at least 1.
        gpus_per_trial: GPUs that one trial holds; 0 trains on the CPU.
        gpu_ids: Indices of the GPUs the study may use; None for all.
        threads_per_trial: CPU threads that one trial may use; at least 1.
        trials_per_gpu: Trials that share one GPU; more than 1 only where a trial holds one.
    """

    max_concurrent: int = 1
    gpus_per_trial: int = 0
    gpu_ids: tuple[int, ...] | None = None
    threads_per_trial: int = 1
    trials_per_gpu: int = 1

    @property
    def gpus_held(self) -> float:
        """GPUs that one trial is charged with: of a shared one its part."""
        return self.gpus_per_trial / self.trials_per_gpu


@dataclass(frozen=True, slots=True)
class DataSources:
    """Absolute paths of extracted data folders; empty where not given."""

    train: str = ""
    val: str = ""
    test: str = ""
    inference: str = ""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How the search proposes and ends trials.

    Attributes:
        space: ``default`` for the schema's own default parameters.
        search: What is asked of single parameters; written as texts KEY=RANGE.
        freeze: Parameters that are not searched; written as texts KEY or KEY=VALUE.
        sampler: Who proposes; the names are those of ``SAMPLERS`` in ``search/samplers.py``.
        seed: Seed of the sampler, and what the fresh seeds of a confirmation are derived from.
            Every trial of the search trains with the one seed of the spec, so that two trials
            differ by their settings alone.
        startup_trials: Random trials before the sampler learns; None for its own rule.
        pruner: ``none``, or the name of a rule that stops trials early.
        fidelity: ``full`` (every trial trains to its end), ``asha`` or ``hyperband``.
        rungs: Epochs, counted from 1, after which a trial of a rung method is judged, rising; the
            last one is below the training's length. Empty without such a method.
        n_epochs: Epochs of a whole training; 0 where they are not known.
        signals: Metrics beside the objective that trials may be judged by early; empty for the
            training loss alone.
    """

    space: str = "default"
    search: tuple[Asked, ...] = ()
    freeze: tuple[Frozen, ...] = ()
    sampler: str = "tpe"
    seed: int = 0
    startup_trials: int | None = None
    pruner: str = "none"
    fidelity: str = "full"
    rungs: tuple[int, ...] = ()
    n_epochs: int = 0
    signals: tuple[Signal, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The settings that ``to_json`` wrote."""
        requests = {
            "search": tuple(map(parse_search, value.get("search", ()))),
            "freeze": tuple(map(parse_freeze, value.get("freeze", ()))),
            "rungs": tuple(value.get("rungs", ())),
            "signals": tuple(map(Signal.from_json, value.get("signals", ()))),
        }
        return cls(**{**value, **requests})

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        requests = {
            "search": [asked.text for asked in self.search],
            "freeze": [frozen.text for frozen in self.freeze],
            "signals": [signal.to_json() for signal in self.signals],
        }
        return {**asdict(self), **requests}


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """Everything one study was asked for: flags, study file and defaults merged.

    Attributes:
        name: Name of the study and of its folder.
        skill_dir: Absolute path of the model skill.
        policy: ``on`` (search) or ``off`` (one direct training).
        policy_source: Where the policy came from, in words for a reader.
        searches: Whether this study searches; a skill that cannot be searched trains once even
            with the policy on.
        objective: Metric and direction.
        data: Extracted data folders.
        overrides: Dotted spec key to value, as the user set it (typed).
        spec_file: Complete spec given with ``--spec``; empty if built from the template.
        search: Sampler, seed, space requests.
        limits: What the study may spend.
        resources: What the trials run on.
        trainer: Name of the trainer: ``process`` or ``scripted``.
        trainer_options: Settings of that trainer alone.
        keep: Which checkpoints outlive a trial.
        origin: Setting name to where its value came from (flag, study file, default, ...).
        storage_url: Database that holds the trials; empty for the journal in the study folder.
        keys: Which settings of the specs mean what, as the skill said when the study began.
        resume_from: Absolute path of another training's checkpoint that the one training of this
            study goes on from; empty for a fresh start.
        parent_checkpoint: Absolute path of the weights that every trial starts from; may be empty.
        metrics: Where a training's metrics are read.
        report_images: ``inline`` or ``none``: whether reports show pictures of the data.
        price_per_gpu_hour: What a GPU hour costs, in the user's own currency; None for no costs in
            reports.
        ray_address: Ray cluster that trials run on, ``auto`` or ``HOST:PORT``; empty for a
            private Ray on the driver's machine.
        earlier: What is taken from earlier studies (``--warm-start``).
        mirrors: Trackers that are told of it while it runs.
        require: What must hold at its end; empty for nothing (``study.requirement``).
        study_store: Address of a store that nodes use which do not share the study's folder; empty
            where all must.
    """

    name: str
    skill_dir: str
    policy: str
    policy_source: str
    objective: Objective
    data: DataSources = DataSources()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    spec_file: str = ""
    search: SearchSettings = SearchSettings()
    limits: Limits = field(default_factory=Limits)
    resources: Resources = Resources()
    trainer: str = "process"
    trainer_options: Mapping[str, Any] = field(default_factory=dict)
    keep: Keep = Keep.BEST
    origin: Mapping[str, str] = field(default_factory=dict)
    storage_url: str = ""
    searches: bool = True
    keys: NetworkKeys = field(default_factory=NetworkKeys)
    resume_from: str = ""
    parent_checkpoint: str = ""
    report_images: str = "inline"
    price_per_gpu_hour: float | None = None
    ray_address: str = ""
    study_store: str = ""
    metrics: MetricSource = STATUS_FILE
    earlier: Earlier = field(default_factory=Earlier)
    require: str = ""
    mirrors: tuple[str, ...] = ()

    @property
    def is_search(self) -> bool:
        """Whether trials are searched for; else it is one direct training."""
        return self.policy == "on" and self.searches

    @property
    def is_fake(self) -> bool:
        """Whether a script makes the numbers up, so that no claim may rest on them."""
        return self.trainer == FAKE_TRAINER

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The configuration that ``to_json`` wrote.

        Raises:
            FixInput: The format is not one that this version reads.
            KeyError, TypeError, ValueError: The value is no such configuration.
        """
        if value.get("format") != FORMAT:
            raise FixInput(
                f"a study's configuration must have format {FORMAT}",
                got=f"format {value.get('format')}",
                where="resolved.json",
                fix="use the version of automl that wrote the study",
            )
        fields = {name: value[name] for name in cls.__slots__ if name in value}
        config = cls(**fields | _parts(value))
        check_fields(config)
        return config

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write, with its format number."""
        return {
            "format": FORMAT,
            **asdict(self),
            "search": self.search.to_json(),
            "keys": self.keys.to_json(),
            "metrics": self.metrics.to_json(),
            "earlier": self.earlier.to_json(),
        }


def _parts(value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are more than plain values."""
    gpu_ids = value["resources"]["gpu_ids"]
    objective = value["objective"]
    return {
        "objective": Objective(
            objective["metric"], Direction(objective["direction"]), objective["worst"]
        ),
        "data": DataSources(**value["data"]),
        "search": SearchSettings.from_json(value["search"]),
        "limits": Limits(**{"confirm_top": 0, **value["limits"]}),
        "resources": Resources(
            **value["resources"] | {"gpu_ids": None if gpu_ids is None else tuple(gpu_ids)}
        ),
        "keep": Keep(value["keep"]),
        "earlier": Earlier.from_json(value.get("earlier", {})),
        "mirrors": tuple(value.get("mirrors", ())),
        "keys": NetworkKeys.from_json(value.get("keys", {})),
        "metrics": MetricSource.from_json(value.get("metrics", {})),
    }
