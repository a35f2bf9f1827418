"""From an attempt the engine asks for to a folder with a complete spec in it."""

from dataclasses import dataclass, field
from pathlib import Path

from automl.files import write_text
from automl.skill.model import Skill
from automl.skill.tree import Tree
from automl.spec.build import for_attempt
from automl.spec.gpus import with_gpus
from automl.spec.rules import SpecRules, rules_for
from automl.spec.sources import with_settings
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.records import Attempt
from automl.trainers.base import TrialTask
from automl.yamltext import dump_yaml

__all__ = ["Preparer"]


@dataclass(slots=True)
class Preparer:
    """Prepares the attempts of one study.

    Attributes:
        paths: The study.
        config: What it was asked.
        skill: The model skill.
        base_spec: What every trial starts from.
        attached: Folders of the attempts whose trainings were left running; these go on.
    """

    paths: StudyPaths
    config: StudyConfig
    skill: Skill
    base_spec: Tree
    attached: frozenset[Path] = frozenset()
    _rules: SpecRules = field(init=False)
    _gpus: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._rules = rules_for(self.skill, "train", self.base_spec)

    def give_gpus(self, count: int | None) -> None:
        """Says on how many GPUs what is prepared next will train; None: as the spec says."""
        self._gpus = count

    def prepare(self, attempt: Attempt) -> TrialTask:
        """Makes the attempt's folder, which must be new, and writes its spec.

        Of a training that was left running both are there and stay as they are.

        A trainer resumes in silence from whatever it finds in its folder; so no two attempts ever
        share one.

        Raises:
            FixInput: The parameters do not fit the spec.
            FileExistsError: The folder is there already.
        """
        paths = self.paths.attempt(attempt.number, attempt.attempt)
        resume_from = self._resume_from(attempt)
        base = with_gpus(self._rules, self._seeded(attempt.seed), self._gpus)
        spec = for_attempt(self._rules, base, attempt.params, paths.folder, resume_from)
        if paths.folder not in self.attached:
            paths.folder.mkdir(parents=True)
            write_text(paths.spec, dump_yaml(spec))
        return TrialTask(
            study=self.config.name,
            number=attempt.number,
            attempt=attempt.attempt,
            folder=paths.folder,
            spec_path=paths.spec,
            log_path=paths.log,
            threads=self.config.resources.threads_per_trial,
        )

    def _resume_from(self, attempt: Attempt) -> Path | None:
        """An earlier attempt's checkpoint, else the one that the whole study goes on from."""
        if attempt.resume_from:
            return self.paths.folder / attempt.resume_from
        return Path(self.config.resume_from) if self.config.resume_from else None

    def _seeded(self, seed: int | None) -> Tree:
        """The base spec with another seed for the training, if one is asked for."""
        if seed is None:
            return self.base_spec
        return with_settings(self.base_spec, {self._rules.keys.seed: seed}, "attempt")
