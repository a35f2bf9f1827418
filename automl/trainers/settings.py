"""The settings that one trainer alone has, as entries of the table of settings.

A trainer that wants a setting of its own declares it here; flag, key of the study file, help and
completion follow. Its value is among the options that the trainer is made with.
"""

from collections.abc import Mapping

from automl.settings.forms import MAPPING, NAMES, choice, text, whole
from automl.settings.setting import Scope, Setting

__all__ = ["TRAINER_SETTINGS"]

_CONTAINER = "container"

#: Trainer to its own settings.
TRAINER_SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    "process": (
        Setting(
            "trainer_start",
            choice(lambda: ("warm", "cold"), "warm|cold"),
            "whether a process of the trainer takes trial after trial",
            group="machine",
            default="warm",
            scope=Scope.SEARCH,
            trainer="process",
        ),
    ),
    "docker": (
        Setting(
            "image", text(), "image to train in (default: the skill's)", _CONTAINER,
            trainer="docker",
        ),
        Setting(
            "shm_size", text("SIZE"), "shared memory (default: 16g or more)", _CONTAINER,
            trainer="docker",
        ),
        Setting(
            "memory", text("SIZE"), "memory limit (default: none)", _CONTAINER, trainer="docker"
        ),
        Setting(
            "pids_limit", whole(1), "most processes and threads", _CONTAINER, trainer="docker"
        ),
        Setting("network", text("NAME"), "network (default: none)", _CONTAINER, trainer="docker"),
        Setting(
            "env", NAMES, "pass a variable of this environment on; its value is written nowhere",
            _CONTAINER, trainer="docker",
        ),
    ),
    "scripted": (
        Setting(
            "script", MAPPING, "what the scripted trainer plays", trainer="scripted",
            has_flag=False,
        ),
    ),
}  # fmt: skip
