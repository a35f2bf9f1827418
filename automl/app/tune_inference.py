"""``automl tune-inference``: better settings of decoding for a trained checkpoint, for free.

The trainer of this package scores many settings on the validation split and confirms the best on
the test split (``centerpose/program/tune``). What it found is written as settings that
``evaluate``, ``inference`` and ``export`` take with ``--tuned``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automl.app.act import ActPlan, plan_action
from automl.app.action_request import ActRequest
from automl.app.parents import find_parent
from automl.errors import FixInput
from automl.skill.read import own_skill_dir, read_skill
from automl.skill.tree import Tree, with_value
from automl.spec.source_table import split_keys, with_table
from automl.study.actions import new_folder
from automl.trainers.base import Handle, Problem, TrialTask
from automl.trainers.process import OWN_PROGRAMS, ProcessTrainer, start_guarded

__all__ = ["TuningTrainer", "plan_tuning"]

_WORD = "tune-inference"
_EVALUATE, _TUNE = "evaluate", "tune"


@dataclass(frozen=True, slots=True)
class TuningTrainer:
    """Starts the search for settings of decoding in place of an evaluation.

    Attributes:
        process: What would start the evaluation.
    """

    process: ProcessTrainer

    def check(self) -> Sequence[Problem]:
        """What is missing on this machine."""
        return self.process.check()

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        """Starts it on the task's spec."""
        words = self.process.command(task.spec_path)
        return start_guarded([_TUNE if word == _EVALUATE else word for word in words], task, gpus)


def plan_tuning(request: ActRequest) -> ActPlan:
    """Works out on what the settings will be searched and confirmed; writes nothing.

    Args:
        request: Whose checkpoint; its data may name ``val`` and ``test``.

    Raises:
        FixInput: There is no such checkpoint, no validation data, or another program trains it.
        ResolveConflict: The checkpoint is not the one that its trial has recorded.
    """
    parent = find_parent(
        request.studies_dir, request.study, request.trial, request.checkpoint, request.tell
    )
    config = parent.config
    skill = read_skill(Path(config.skill_dir) if config is not None else own_skill_dir())
    if skill.network_arch not in OWN_PROGRAMS or request.trainer not in (None, "process"):
        raise FixInput(
            "the settings of decoding are searched by the trainer of this package",
            got=f"the network {skill.network_arch}, trainer {request.trainer or 'process'}",
            fix="give a CenterPose checkpoint, and leave --trainer out; a program of its own "
            "would have to score one set of predictions under many settings",
        )
    recorded = config.data if config is not None else None
    val = request.data.get("val") or (recorded.val if recorded else "")
    test = request.data.get("test") or (recorded.test if recorded else "")
    if not val:
        raise FixInput(
            "settings are searched on validation data", got="none", fix="give --val-data PATH"
        )
    home = parent.paths.actions if parent.paths is not None else request.studies_dir / "actions"
    folder = request.results or new_folder(home.absolute(), _WORD)
    asked = replace(
        request, action=_EVALUATE, data={"test": test or val}, results=folder, trainer="process"
    )
    plan = plan_action(asked)
    tree = _with_splits(plan, str(Path(val).absolute()), bool(test))
    notes = plan.notes if test else (*plan.notes, "no test data: the gain is not confirmed")
    request = replace(plan.request, action=_WORD.replace("-", "_"))
    return replace(plan, request=request, spec=replace(plan.spec, tree=tree), notes=notes)


def _with_splits(plan: ActPlan, val: str, has_test: bool) -> Tree:
    """The spec with the validation split, and without a test split where there is none."""
    tree = plan.spec.tree
    for key, split in split_keys(with_table(plan.skill)).items():
        if split == "val":
            tree = with_value(tree, key, val)
        elif split == "test" and not has_test:
            tree = with_value(tree, key, "")
    return tree
