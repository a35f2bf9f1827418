"""The entry of the scripted trainer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automl.settings.forms import MAPPING
from automl.settings.setting import Setting
from automl.study.config import FAKE_TRAINER
from automl.trainers.entry import ChosenOptions, SettingsGiven, TrainerEntry

if TYPE_CHECKING:
    from automl.skill.model import Skill
    from automl.trainers.base import Trainer

__all__ = ["SCRIPTED"]

_SCRIPT = Setting(
    "script", MAPPING, "what the scripted trainer plays", trainer=FAKE_TRAINER, has_flag=False
)


def _make(skill: "Skill", options: Mapping[str, Any], action: str) -> "Trainer":
    from automl.errors import FixInput
    from automl.trainers.scripted import Script, ScriptedTrainer

    if action != "train":
        raise FixInput(
            "the scripted trainer must play a training",
            got=action,
            fix="give --trainer process",
        )
    return ScriptedTrainer(Script.from_options(options), skill.keys)


def _choose(given: SettingsGiven) -> ChosenOptions:
    return ChosenOptions(given.values.get(_SCRIPT.name, {}))


#: Plays a script in place of a training.
SCRIPTED = TrainerEntry(
    name=FAKE_TRAINER,
    summary="a fake that trains nothing",
    make=_make,
    settings=(_SCRIPT,),
    choose=_choose,
    settings_of=lambda options: {_SCRIPT.name: dict(options)},
    trains_only=True,
)
