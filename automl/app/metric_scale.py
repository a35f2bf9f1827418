"""Metres: a size that the user knows, for an inference and for the poses of a study."""

from dataclasses import replace
from pathlib import Path

from automl.app.action_request import ActRequest
from automl.app.networks import Scalable, network_of
from automl.errors import FixInput
from automl.poses.known_size import KnownSize
from automl.skill.model import Skill
from automl.skill.read import read_skill
from automl.spec.action import ActionSpec
from automl.spec.sources import with_settings
from automl.study.folder import read_base_spec, read_config
from automl.study.layout import StudyPaths
from automl.trainers.docker.images import is_nvidias

__all__ = ["known_size_of", "with_known_size"]

_INFERENCE = "inference"
_FLAGS = "--known-height, --known-size"
_UP_TO_SCALE = (
    "poses are up to scale: --known-height METRES or --known-size WxHxD gives them in metres too"
)


def with_known_size(
    spec: ActionSpec, request: ActRequest, skill: Skill, image: str | None
) -> ActionSpec:
    """The spec with what is known of the object's size; a note where nothing is.

    Args:
        spec: Of an action.
        request: Holds the known size.
        skill: Which network it is.
        image: The container's image that it runs in; None for a process.

    Raises:
        FixInput: The size is none, of another category, or nothing that runs here takes one.
    """
    text, where = request.known_size, _FLAGS if request.known_size else "--set"
    network = _scalable(skill)
    known = None if network is None else network.known_size(spec.tree, text, where)
    if network is None or _is_nvidias(image):
        if known is None and not text:
            return spec
        raise FixInput(
            "a known size must be given to the trainer of this package",
            got=image or f"the network {skill.network_arch}",
            where=where,
            fix="add --trainer process; or multiply yourself: metres = location x height / "
            "relative_scale[1]",
        )
    if text:
        settings = network.size_settings(text)
        return replace(spec, tree=with_settings(spec.tree, settings, where))
    if request.action == _INFERENCE and network.is_up_to_scale(spec.tree):
        return replace(spec, notes=(*spec.notes, _UP_TO_SCALE))
    return spec


def _is_nvidias(image: str | None) -> bool:
    return image is not None and is_nvidias(image)


def known_size_of(paths: StudyPaths, text: str) -> KnownSize | None:
    """What a text says of the objects of a study; None where it is blank.

    Raises:
        FixInput: It is no size, of another category, or nothing is known of the study's network.
    """
    if not text:
        return None
    skill = read_skill(Path(read_config(paths).skill_dir))
    network = _scalable(skill)
    if network is None:
        raise FixInput(
            "poses in metres must be those of a network that is known here",
            got=skill.network_arch,
            where=_FLAGS,
        )
    return network.known_size(read_base_spec(paths), text, _FLAGS)


def _scalable(skill: Skill) -> Scalable | None:
    network: object = network_of(skill)
    return network if isinstance(network, Scalable) else None
