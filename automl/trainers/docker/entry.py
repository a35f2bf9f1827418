"""The entry of the docker trainer."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.settings.forms import NAMES, text, whole
from automl.settings.setting import Form, Setting
from automl.trainers.entry import (
    ActionAsked,
    ChosenOptions,
    ContainerHooks,
    Examined,
    LeftBehind,
    SettingsGiven,
    TrainerEntry,
)

if TYPE_CHECKING:
    from automl.checkup import Check
    from automl.skill.model import Skill
    from automl.trainers.base import Trainer

__all__ = ["DOCKER"]

_NAME = "docker"


def _setting(name: str, form: Form, help_text: str) -> Setting:
    return Setting(name, form, help_text, group="container", trainer=_NAME)


_SETTINGS = (
    _setting("image", text(), "image to train in (default: the skill's)"),
    _setting("shm_size", text("SIZE"), "shared memory (default: 16g or more)"),
    _setting("memory", text("SIZE"), "memory limit (default: none)"),
    _setting("pids_limit", whole(1), "most processes and threads"),
    _setting("network", text("NAME"), "network (default: none)"),
    _setting("env", NAMES, "pass a variable of this environment on; its value is written nowhere"),
)


def _make(skill: "Skill", options: Mapping[str, Any], action: str) -> "Trainer":
    from automl.trainers.docker.options import DockerOptions
    from automl.trainers.docker.trainer import DockerTrainer

    return DockerTrainer(skill, DockerOptions.from_options(options), action)


def _choose(given: SettingsGiven) -> ChosenOptions:
    """The options that differ from the defaults, the image's name resolved once and for all."""
    from dataclasses import replace

    from automl.trainers.docker.images import image_name
    from automl.trainers.docker.options import DockerOptions

    asked = DockerOptions.from_options(given.values)
    named = replace(asked, image=image_name(given.skill, "train", asked))
    origin = {} if asked.image else {"image": f"skill {given.skill.name}"}
    return ChosenOptions(named.to_options(), origin)


def _rules_as(options: Mapping[str, Any]) -> str:
    """``docker`` stands for NVIDIA's container: in another image runs this package's trainer."""
    from automl.trainers.docker.images import is_nvidias

    return _NAME if is_nvidias(options.get("image", "")) else "process"


def _remark(options: Mapping[str, Any]) -> str:
    if options.get("image"):
        return ""
    return "the skill names no image: a container needs --image IMAGE"


def _action_options(asked: ActionAsked) -> Mapping[str, Any]:
    """The study's options, with the image that was asked for.

    The study's image is the one that trains: the deploy container has another.
    """
    options = dict(asked.study)
    if asked.deploys or asked.image:
        options.pop("image_id", None)
    if asked.image:
        # An action of the training's side may still run in an image of its own.
        options |= {"deploy_image": asked.image} | (
            {} if asked.deploys else {"image": asked.image}
        )
    return options | ({"deploy": True} if asked.deploys else {})


def _needs_gpus(skill: "Skill", options: Mapping[str, Any]) -> bool:
    from automl.trainers.docker.images import image_name, is_nvidias
    from automl.trainers.docker.options import DockerOptions

    return is_nvidias(image_name(skill, "train", DockerOptions.from_options(options)))


def _examine(examined: Examined) -> Iterator["Check"]:
    from automl.trainers.docker.checkup import examine

    return examine(examined)


def _left_behind(places: Sequence[Path]) -> LeftBehind:
    from automl.trainers.docker.leftovers import left_behind

    return left_behind(places)


def _examine_engine() -> Iterator["Check"]:
    from automl.trainers.docker.checkup import check_engine, engine_facts

    return check_engine(engine_facts())


#: Runs the command of a skill's action in a container of the skill's image.
DOCKER = TrainerEntry(
    name=_NAME,
    summary="the skill's container",
    make=_make,
    settings=_SETTINGS,
    choose=_choose,
    remark=_remark,
    rules_as=_rules_as,
    examine=_examine,
    left_behind=_left_behind,
    container=ContainerHooks(_action_options, _needs_gpus, _examine_engine),
)
