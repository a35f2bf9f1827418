"""The settings of a study, each said once; those of one trainer alone stand with the trainers.

To add one: an entry here, and the place that uses it. A field of ``Limits`` or ``SearchSettings``
takes the value of the setting of its name.
"""

from collections.abc import Mapping

from automl.app.forms import (
    CHECKPOINT,
    FREEZE,
    GPUS,
    MIRRORED,
    OVERRIDES,
    PATHS,
    POLICY,
    RAY_ADDRESS,
    REQUIREMENT,
    SEARCH,
    SEEDS,
    SOURCE,
    SPACE,
    STORAGE,
)
from automl.settings.forms import (
    AMOUNT,
    MAPPING,
    MOMENT,
    NAMES,
    PRICE,
    SECONDS,
    SHARE,
    SWITCH,
    TARGETS,
    choice,
    file,
    folder,
    names_in,
    text,
    whole,
)
from automl.settings.setting import Scope, Setting
from automl.study.config import Direction, Keep, Resources, SearchSettings
from automl.study.limits import STOPS, Limits
from automl.trainers.table import DEFAULT, TRAINERS, all_trainers, trainer_names

__all__ = [
    "FETCH_WEIGHTS",
    "INPUTS",
    "NO_SETTINGS",
    "SPLITS",
    "STUDY_SETTINGS",
    "TABLE",
    "installed_settings",
    "settings_table",
]

#: The inputs of a skill that are given by key.
INPUTS = "data"
#: Whether files that a skill links to are brought here.
FETCH_WEIGHTS = "fetch_weights"

SPLITS = ("train", "val", "test", "inference")

#: Environment variables of this program that give no setting.
NO_SETTINGS = (
    "AUTOML_STUDIES_DIR",
    "AUTOML_CACHE_DIR",
    "AUTOML_NOTIFY",
    "AUTOML_DETACHED",
    "AUTOML_TRAINER_ACCELERATOR",
    "AUTOML_TRAINER_COMPILE",
    "AUTOML_TRAINER_RECORD",
)

_LIMITS, _SEARCH, _RESOURCES = Limits(), SearchSettings(), Resources()
_SAMPLERS = names_in("automl.search.samplers", "SAMPLERS")
_PRUNERS = names_in("automl.search.pruners", "PRUNERS")
_METHODS = names_in("automl.search.methods.table", "METHODS")
_SEARCHED = Scope.SEARCH

_STUDY = (
    Setting("name", text(), "name of the study (default: readable and unique)"),
    Setting("policy", POLICY, "on: search; off: one plain training", "policy",
            key="automl_policy"),
    Setting("request", text("TEXT"), 'own words, such as "no HPO, just train"', "policy", key=""),
    Setting("skill_dir", folder(), "model skill (default: CenterPose)", "policy"),
)  # fmt: skip

_DATA = (
    *(
        Setting(
            f"{split}_data", SOURCE, f"{split} split: a folder or a tarball", "data",
            key=f"data.{split}",
        )
        for split in SPLITS
    ),
    Setting(INPUTS, PATHS, "an input of the skill, by its key", "data", default={}, key="inputs"),
    Setting("synth", MAPPING, "a synthetic data set", "data", key="data.synth", has_flag=False),
)  # fmt: skip

_SPEC = (
    Setting("spec", file(), "complete spec to start from", "spec"),
    Setting("set", OVERRIDES, "set a spec key", "spec"),
    Setting("parent_checkpoint", file(), "weights to start from, at epoch 0", "spec"),
    Setting(
        FETCH_WEIGHTS, SWITCH, "bring the files that the skill links to", "spec", default=False
    ),
    Setting(
        "resume_from",
        CHECKPOINT,
        "checkpoint to go on from, its optimiser and schedule too: "
        "a file, or STUDY[:TRIAL][@best|last|epoch N]",
        "spec",
    ),
)

_PROPOSALS = (
    Setting("space", SPACE, "default, profile, all, or the file of a profile", "search",
            default=_SEARCH.space, scope=_SEARCHED),
    Setting("search", SEARCH, "search a key: LOW..HIGH, LOW..HIGH:log or a,b,c", "search",
            scope=_SEARCHED, rival="freeze"),
    Setting("freeze", FREEZE, "do not search a key", "search", scope=_SEARCHED, rival="search"),
    Setting("metric", text(), "metric to improve (default: the skill's)", "search"),
    Setting("metric_command", text("CMD"), "a command that prints a training's metrics as JSON: "
            "'python score.py {results_dir}'", "search"),
    Setting("direction", choice(lambda: tuple(Direction), "maximize|minimize"),
            "which way is better", "search"),
    Setting("sampler", choice(_SAMPLERS, "auto|gp|tpe|cmaes|random|qmc|grid"),
            "who proposes; auto: gp, and tpe where there is much", "search",
            default=_SEARCH.sampler, scope=_SEARCHED),
    Setting("fidelity", choice(lambda: ("auto", *_METHODS()), "auto|full|asha|hyperband"),
            "whether trials pause at rungs, and which go on; full: every one trains to its end",
            "search", default=_SEARCH.fidelity, scope=_SEARCHED),
    Setting("pruner", choice(_PRUNERS, "none|median"), "who stops a trial early", "search",
            default=_SEARCH.pruner, scope=_SEARCHED),
    Setting("seed", whole(0), "seed of the sampler and of fresh seeds", "search",
            default=_SEARCH.seed),
    Setting("warm_start", NAMES, "earlier study of the same metric and data, whose trials count "
            "as knowledge", "search", scope=_SEARCHED),
    Setting("accept_drift", SWITCH, "earlier studies of other data too", "search",
            default=False, scope=_SEARCHED),
    Setting("startup_trials", whole(0), "random trials before learning", "search",
            scope=_SEARCHED),
)  # fmt: skip

_SPENDING = (
    Setting("trials", whole(1), "trials in total", "limits",
            default=_LIMITS.trials, scope=_SEARCHED),
    Setting("confirm", SEEDS, "then winner and default again, N fresh seeds each; auto: until it "
            "is clear which is better", "limits", default=_LIMITS.confirm, scope=_SEARCHED),
    Setting("confirm_top", whole(1, "K"), "before that the best K race for being the winner",
            "limits", default=_LIMITS.confirm_top, scope=_SEARCHED),
    Setting("max_wall", SECONDS, "90m, 8h, 2d: time of the whole study, over all resumes; a trial "
            "that would not end in it is not started", "limits", scope=_SEARCHED),
    Setting("gpu_hours", AMOUNT, "GPU hours of the whole study, in the same way", "limits",
            scope=_SEARCHED),
    Setting("deadline", MOMENT, "18:30 or 2027-01-31T18:30: when it is to have ended", "limits",
            scope=_SEARCHED),
    Setting("stop", choice(lambda: STOPS, "never|auto"), "auto: end the search where the rest is "
            "unlikely to gain more than the luck of one seed", "limits", default=_LIMITS.stop,
            scope=_SEARCHED),
    Setting("trial_timeout", SECONDS, "90s, 10m, 2h: then it is hung", "limits"),
    Setting("same_failures", whole(1), "of one class in a row, then stop", "limits",
            default=_LIMITS.same_failures, scope=_SEARCHED),
    Setting("failed_share", SHARE, "of six or more failed, of whatever class, then stop; 1: only "
            "where all did", "limits", default=_LIMITS.failed_share, scope=_SEARCHED),
)  # fmt: skip

_OUTCOME = (
    Setting("require", REQUIREMENT, "what must hold at the end, else exit 6: 'val_3DIoU >= "
            "0.8 and gain_low > 0'; docs/studies.md lists the names", "outcome", default=""),
    Setting("mirror", MIRRORED, "mlflow, tensorboard or wandb, told while the study runs, without "
            "a network", "outcome", default=()),
    Setting("notify", TARGETS, "an address or a command, told at the end, at a stop and at the "
            "first failure", "outcome", default=(), is_secret=True),
)  # fmt: skip

_MACHINE = (
    Setting("max_concurrent", whole(1), "trials at the same time (default: as many as the GPUs "
            "hold; on the CPU, one for each CPU)", "machine", scope=_SEARCHED),
    Setting("gpus_per_trial", whole(0), "default: as the spec says; one plain training takes all "
            "of --gpus; 0 without a GPU", "machine"),
    Setting("trials_per_gpu", whole(1), "that share one", "machine",
            default=_RESOURCES.trials_per_gpu, scope=_SEARCHED),
    Setting("gpus", GPUS, "indices or UUIDs of the GPUs (default: all)", "machine"),
    Setting("ray_address", RAY_ADDRESS, "Ray cluster that trials run on (default: a private Ray "
            "on this machine)", "machine", key="ray", default="", scope=_SEARCHED),
    Setting("study_store", SOURCE, "s3://bucket/prefix for nodes that do not share the studies' "
            "folder", "machine", default="", scope=_SEARCHED),
    Setting("keep", choice(lambda: tuple(Keep), "best|last|all"),
            "checkpoints that outlive a trial; last: the best and the last", "machine",
            default=Keep.BEST),
    Setting("storage", STORAGE, "postgresql://USER@HOST/DATABASE that keeps the trials (default: "
            "a journal in the study's folder)", "machine"),
    Setting("report_images", choice(lambda: ("inline", "none"), "inline|none"),
            "pictures of the data in reports", "machine", default="inline"),
    Setting("price_per_gpu_hour", PRICE, "in any currency: reports then say what it cost",
            "machine", has_flag=False),
    Setting("trainer", choice(trainer_names, "|".join(TRAINERS)), "how a trial is run",
            "machine", default=DEFAULT.name),
)  # fmt: skip

#: Every setting of this package, in the order of ``--help``.
STUDY_SETTINGS: tuple[Setting, ...] = (
    *(*_STUDY, *_DATA, *_SPEC, *_PROPOSALS, *_SPENDING, *_OUTCOME, *_MACHINE),
    *(setting for entry in TRAINERS.values() for setting in entry.settings),
)

#: Name to setting.
TABLE: Mapping[str, Setting] = {setting.name: setting for setting in STUDY_SETTINGS}


def installed_settings() -> tuple[Setting, ...]:
    """The settings of trainers that installed packages bring; imports those packages."""
    entries = all_trainers().entries.values()
    settings = (setting for entry in entries for setting in entry.settings)
    return tuple(setting for setting in settings if setting.name not in TABLE)


def settings_table() -> Mapping[str, Setting]:
    """Name to setting, those of installed trainers included; imports the packages of these."""
    return {**TABLE, **{setting.name: setting for setting in installed_settings()}}
