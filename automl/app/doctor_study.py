"""What a study needs of its data, its space and its trainer, as lines of a check-up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automl.app.plan import Plan
from automl.checkup import Check, Result
from automl.data.checks import SplitFacts
from automl.skill.model import Skill
from automl.skill.read import read_skill
from automl.skill.tree import Tree, whole_number
from automl.space.model import SearchSpace
from automl.spec.needed import how_to_give, missing_inputs
from automl.spec.rules import rules_for
from automl.study.config import StudyConfig
from automl.study.folder import read_base_spec, read_config, read_space
from automl.study.layout import StudyPaths

__all__ = [
    "Subject",
    "check_batches",
    "check_inputs",
    "check_shared",
    "check_space",
    "check_splits",
]


@dataclass(frozen=True, slots=True)
class Subject:
    """The study that is checked: one that is planned, or one that there is.

    Attributes:
        config: Every setting resolved.
        skill: The model skill.
        base_spec: The spec of trial 0.
        space: What is searched.
        data: Split to what it holds.
        notes: What the plan has to say.
        paths: The study's folder, if there is one.
    """

    config: StudyConfig
    skill: Skill
    base_spec: Tree
    space: SearchSpace
    data: Mapping[str, SplitFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    paths: StudyPaths | None = None

    @classmethod
    def of_plan(cls, plan: Plan) -> "Subject":
        """The study that a plan would make."""
        return cls(plan.config, plan.skill, plan.base_spec, plan.space, plan.data, plan.notes)

    @classmethod
    def of_study(cls, paths: StudyPaths) -> "Subject":
        """A study that there is; its data is not looked at again.

        Raises:
            FixInput: The folder is no study, or its skill is gone.
        """
        config = read_config(paths)
        space = SearchSpace.from_json(read_space(paths))
        return cls(config, read_skill(Path(config.skill_dir)), read_base_spec(paths), space,
                   paths=paths)  # fmt: skip

    def number(self, key: str, otherwise: int) -> int:
        """A whole number of the spec."""
        value = whole_number(self.base_spec, key)
        return otherwise if value is None else value

    @property
    def largest_batch(self) -> int:
        """The largest batch that may be proposed, trial 0's included."""
        key = self.config.keys.batch
        return max([self.number(key, 1), *batches_of(self.space, key)])


def batches_of(space: SearchSpace, key: str) -> tuple[int, ...]:
    """The largest batches of a space: its upper end, or every choice."""
    found = [one for one in space.parameters if one.key == key]
    values = [value for one in found for value in one.largest]
    return tuple(int(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool))


def check_inputs(subject: Subject) -> Iterator[Check]:
    """The inputs that the training reads and that nothing gives a value for, if any."""
    if subject.config.is_fake or "train" not in subject.skill.actions:
        return
    rules = rules_for(subject.skill, "train", subject.base_spec)
    missing = missing_inputs(rules, subject.base_spec)
    if missing:
        detail = f"no value for {', '.join(missing)}"
        yield Check("inputs", Result.FAIL, detail, how_to_give(rules, missing[0]))


def check_splits(data: Mapping[str, SplitFacts]) -> Iterator[Check]:
    """What each split holds, and what looks wrong in it."""
    for split, facts in data.items():
        yield Check(f"{split} data", Result.OK, _held_by(facts))
        for warning in facts.warnings:
            yield Check(f"{split} data", Result.WARN, warning, "see automl data check")


def _held_by(facts: SplitFacts) -> str:
    """What a split holds; of images to predict on no objects are counted."""
    if not facts.categories:
        return f"{facts.images} images, {facts.root}"
    categories = ", ".join(f"{name} {count}" for name, count in facts.categories.items())
    return f"{facts.images} images, {facts.objects} objects ({categories}), {facts.root}"


def check_batches(data: Mapping[str, SplitFacts], batch: int, gpus: int, key: str) -> Check | None:
    """Whether each split of a training fills the largest batch; None without data."""
    trained = [split for split in ("train", "val") if split in data]
    if not trained:
        return None
    smallest = min(trained, key=lambda split: data[split].images)
    images, need = data[smallest].images, batch * max(1, gpus)
    detail = f"{smallest} has {images} images, the largest batch x GPUs of the space is {need}"
    if images >= need:
        return Check("batches", Result.OK, detail)
    fix = f"give more images, or --search {key}=LOW..{images // max(1, gpus)}"
    return Check("batches", Result.FAIL, detail, fix)


def check_shared(n_shared: int, n_val: int, n_near: int = 0) -> Check:
    """Images that are trained on and validated on.

    Args:
        n_shared: Images of both splits with the same content.
        n_val: Images of the validation split.
        n_near: Images that nearly are in both, as a check of the data found before.
    """
    if not n_shared and not n_near:
        return Check("train and val", Result.OK, "no image is in both")
    fix = "take them out of one split: they flatter every score"
    detail = f"{n_shared} of {n_val} val images are in both"
    if n_near > n_shared:
        detail = f"{n_near} images of one are nearly in the other, as data check found"
    return Check("train and val", Result.WARN, detail, fix)


def check_space(space: SearchSpace) -> Iterator[Check]:
    """What is searched, what cannot change anything, and what cannot be searched."""
    if space.parameters:
        names = ", ".join(space.keys)
        yield Check("search space", Result.OK, f"{len(space.parameters)} searched: {names}")
    for inert in space.inert:
        detail = f"{inert.key} changes nothing: {inert.reason}"
        yield Check("search space", Result.WARN, detail, inert.fix)
    for one in space.refused:
        yield Check("search space", Result.WARN, f"{one.key} cannot be searched: {one.reason}")
