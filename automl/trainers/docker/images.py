"""Which image an action runs in, and whether the engine has it."""

import shlex

from automl.skill.model import Skill
from automl.skill.read import image_of
from automl.trainers.base import Problem
from automl.trainers.docker.engine import DockerEngine
from automl.trainers.docker.options import DockerOptions, check_word

__all__ = ["image_name", "image_to_run", "is_nvidias", "missing_image"]

#: Symbolic name of the container of the deploy actions, where a skill names none for them.
DEPLOY_IMAGE = "tao_toolkit.deploy"


def image_name(skill: Skill, action: str, options: DockerOptions) -> str:
    """The image that an action runs in; empty if there is none.

    What the user asks for wins. Else it is the skill's, its symbolic name resolved through
    ``references/images.yaml``; for the deploy actions, the deploy container's.

    Raises:
        FixInput: A list of images is broken, or the skill's image is no name.
    """
    if runs_in_deploy(skill, action, options):
        named = options.deploy_image
        by_skill = image_of(skill, action, name=DEPLOY_IMAGE if options.deploy else "")
    else:
        named, by_skill = options.image, image_of(skill, action)
    return named or check_word(by_skill, "the image of a skill", skill.name)


def runs_in_deploy(skill: Skill, action: str, options: DockerOptions) -> bool:
    """Whether an action needs the deploy container, so that the training's image is not for it.

    Raises:
        FixInput: A list of images is broken.
    """
    return options.deploy or image_of(skill, action) != image_of(skill, "train")


def image_to_run(skill: Skill, action: str, options: DockerOptions) -> str:
    """What a container is made of: the image that the study recorded, else the one named now.

    Raises:
        FixInput: A list of images is broken.
    """
    recorded = "" if runs_in_deploy(skill, action, options) else options.image_id
    return recorded or image_name(skill, action, options)


def is_nvidias(name: str) -> bool:
    """Whether an image holds NVIDIA's trainer, going by its repository's name.

    Any other is taken to hold the trainer of this package, which knows more settings.
    """
    repository = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return not name or repository.startswith("tao-toolkit")


def missing_image(name: str, engine: DockerEngine) -> Problem | None:
    """What to say where the engine does not have an image; None where it does.

    A trial never pulls: GPUs would wait while twenty gigabytes are fetched.
    """
    if not name:
        return Problem(
            "a container needs an image",
            got="a skill that names none",
            fix="name one with --image, or 'image' in the study file",
        )
    if engine.image(name) is not None:
        return None
    is_id = name.startswith("sha256:")
    fix = (
        "load it again, or resume with --accept-image"
        if is_id
        else shlex.join(["docker", "pull", name])
    )
    return Problem(
        "the image must be there before trials start",
        got=f"no {name} in {engine.address}",
        fix=fix,
    )
