"""Whether spec and data fit the training, found out before anything is spent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from automl.centerpose.config.load import load_spec
from automl.data.checks import SplitFacts, check_enough, check_split, shared_images
from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.tree import get
from automl.space.model import Ceiling
from automl.spec.build import BaseSpec
from automl.spec.rules import SpecRules
from automl.study.config import Limits, Resources

__all__ = ["check_data", "check_seed", "check_types", "count_in"]

#: The network whose settings are typed here, and whose data is in the layout known here.
_CENTERPOSE = "centerpose"
_BATCH = "dataset.batch_size"
_KEYS = {"train": "dataset.train_data", "val": "dataset.val_data"}


def check_types(skill: Skill, base: BaseSpec) -> None:
    """Refuses a spec that CenterPose itself would refuse to read.

    The schema says less than the network's own types: not what the entries of a list are.

    Raises:
        FixInput: A value has the wrong type.
    """
    if skill.network_arch == _CENTERPOSE:
        load_spec(base.tree, "train")


def check_seed(rules: SpecRules, limits: Limits) -> None:
    """Refuses to train anything again with another seed where there is no seed to set.

    Raises:
        FixInput: The limits ask for it, and the skill's trainings take no seed.
    """
    if limits.confirm and not rules.keys.seed:
        raise FixInput(
            "to train again with other seeds, the spec must have a setting for the seed",
            got="a schema without it",
            where="--confirm",
            fix="leave --confirm out",
        )


def count_in(base: BaseSpec, key: str) -> int:
    """A whole number of the spec that this program reckons with; 1 where the spec has none.

    Raises:
        FixInput: It is something else, such as a reference that only the trainer can follow.
    """
    value = get(base.tree, key, 1)
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
        for a network whose layout is not known here.

    Raises:
        FixInput: A split that training needs is missing or broken, or cannot fill one batch.
    """
    if skill.network_arch != _CENTERPOSE:
        return {}, (), ()
    facts = {split: _facts(base, split, key) for split, key in _KEYS.items()}
    devices = max(1, resources.gpus_per_trial)
    batch = count_in(base, _BATCH)
    for split, each in facts.items():
        check_enough(each, batch, devices, _KEYS[split])
    smallest = min(facts, key=lambda split: facts[split].images)
    most = facts[smallest].images // devices
    ceiling = Ceiling(_BATCH, most, f"the {smallest} split has {facts[smallest].images} images")
    warnings = [f"{split} data: {text}" for split, each in facts.items() for text in each.warnings]
    return facts, (ceiling,), (*warnings, *_shared(facts["train"], facts["val"]))


def _shared(train: SplitFacts, val: SplitFacts) -> Iterator[str]:
    """What to say of images that are trained on and validated on."""
    pairs = shared_images(train.root, val.root)
    if pairs:
        yield (
            f"val data: {len(pairs)} of {val.images} images are train images too, which flatters"
            f" every score; first {pairs[0][1]}"
        )


def _facts(base: BaseSpec, split: str, key: str) -> SplitFacts:
    """The facts of one split, from the folder that the training will read."""
    folder = str(get(base.tree, key, "") or "")
    if not folder:
        raise FixInput(
            f"training needs {split} data",
            got=f"no {key}",
            fix=f"give --{split}-data PATH, or try --demo, which brings its own",
        )
    try:
        return check_split(Path(folder), category=get(base.tree, "dataset.category", None))
    except FixInput as error:
        where = f"{error.where}, {split} data" if error.where else f"{split} data"
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error
