"""Whether spec and data fit the training, found out before anything is spent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from automl.app.encrypted import refuse_encrypted
from automl.app.networks import network_of
from automl.checkpointfile import check_checkpoint_file
from automl.data.checks import SplitFacts
from automl.data.leak_memory import known_leak
from automl.data.overlap import shared_images
from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.tree import get, leaves
from automl.space.model import Ceiling
from automl.spec.build import BaseSpec
from automl.spec.rules import SpecRules
from automl.spec.values import is_reference
from automl.study.config import Resources
from automl.study.limits import Limits
from automl.trainers.contract import CHECKPOINT_SUFFIXES

__all__ = ["check_data", "check_seed", "check_types", "check_weights", "count_in"]


def check_types(skill: Skill, base: BaseSpec) -> None:
    """Refuses a spec that the network itself would refuse to read, where it is known here.

    Raises:
        FixInput: A value has the wrong type.
    """
    network = network_of(skill)
    if network is None:
        return
    try:
        network.check_spec(base.tree)
    except FixInput as error:
        is_set = error.rule.partition(" ")[0] in base.overrides
        source = f"what was set over {base.source}" if is_set else base.source
        where = ", ".join(part for part in (error.where, source) if part)
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error


def check_weights(base: BaseSpec, *, sees_other_files: bool) -> tuple[str, ...]:
    """Refuses a checkpoint that the spec names and that is none; what to say of the others.

    Args:
        base: The spec of trial 0.
        sees_other_files: Whether a training may see files that are not here, as a container may.

    Raises:
        FixData: One is missing, empty, cut short, encrypted, or of another format.
    """
    named_files = list(_named_weights(base))
    for key, path in named_files:
        if sees_other_files and not path.exists():
            continue
        check_checkpoint_file(path, key)
    skill = base.rules.skill
    refuse_encrypted(skill, base.tree, named_files, in_container=sees_other_files)
    named = (key for key in base.keys.resume if get(base.tree, key, None))
    return tuple(
        f"{key} = {get(base.tree, key)} is not read from a spec: --resume-from goes on from a"
        " checkpoint, and --parent-checkpoint begins with its weights"
        for key in named
    )


def _named_weights(base: BaseSpec) -> Iterator[tuple[str, Path]]:
    """The files that a spec names as weights: by the setting's role, or by name and value."""
    roles = {*base.keys.weights, *base.keys.resume}
    for key, value in leaves(base.tree):
        if not isinstance(value, str) or not value or is_reference(value):
            continue
        is_path = "/" in value or Path(value).suffix in CHECKPOINT_SUFFIXES
        is_pretrained = key.rpartition(".")[2].startswith("pretrained")
        if key in roles or (is_pretrained and is_path):
            yield key, Path(value)


def check_seed(rules: SpecRules, limits: Limits) -> None:
    """Refuses to train anything again with another seed where there is no seed to set.

    Raises:
        FixInput: The limits ask for it, and the skill's trainings take no seed.
    """
    if limits.confirms and not rules.keys.seed:
        raise FixInput(
            "to train again with other seeds, the spec must have a setting for the seed",
            got="a schema without it",
            where="--confirm",
            fix="leave --confirm out",
        )


def count_in(base: BaseSpec, key: str) -> int:
    """A whole number of the spec that this program reckons with; 1 where the spec has none.

    Args:
        base: The spec.
        key: Its dotted key; empty where no setting holds the number.

    Raises:
        FixInput: It is something else, such as a reference that leads to none.
    """
    value = get(base.tree, key, 1) if key else 1
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise FixInput(
        f"{key} must be a plain whole number here",
        got=repr(value),
        fix=f"write the number: --set {key}=NUMBER",
    )


def check_data(
    skill: Skill, base: BaseSpec, resources: Resources
) -> tuple[Mapping[str, SplitFacts], tuple[Ceiling, ...], tuple[str, ...]]:
    """What the splits of a training hold, what that forbids the search, and what to say of it.

    Returns:
        Split to its facts; upper bounds for searched settings; sentences for the reader. All empty
        for a network that is not known here.

    Raises:
        FixInput: A split that training needs is missing or broken, or cannot fill one batch.
    """
    network = network_of(skill)
    if network is None:
        return {}, (), ()
    devices = max(1, resources.gpus_per_trial)
    batch = base.keys.batch
    splits = network.check_data(base.tree, count_in(base, batch), devices)
    smallest = min(("train", "val"), key=lambda split: splits[split].images)
    images = splits[smallest].images
    ceiling = Ceiling(batch, images // devices, f"the {smallest} split has {images} images")
    warnings = [f"{split} data: {text}" for split, at in splits.items() for text in at.warnings]
    return splits, (ceiling,), (*warnings, *_shared(splits["train"], splits["val"]))


def _shared(train: SplitFacts, val: SplitFacts) -> Iterator[str]:
    """What to say of images that are trained on and validated on."""
    pairs = shared_images(train.root, val.root)
    if pairs:
        yield (
            f"val data: {len(pairs)} of {val.images} images are train images too, which flatters"
            f" every score; first {pairs[0][1]}"
        )
    known = known_leak(train.root, val.root)
    if known is not None and known.count > len(pairs):
        yield (
            f"train and val data: {known.count} images of one are nearly in the other, as automl"
            f" data check found, which flatters every score; first {known.first}"
        )
