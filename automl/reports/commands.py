"""The command lines a report offers: each is complete, quoted, and ready to use."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from automl.errors import FixInput
from automl.reports.calling import program, studies_flag, study_command
from automl.reports.findings import ONE_SEED, Command, Winner
from automl.reports.model import Summary
from automl.skill.read import own_skill_dir
from automl.skill.tree import whole_number
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass
from automl.study.state import StudyStatus
from automl.yamltext import load_yaml

__all__ = ["commands_for", "training_of"]

#: A study that ended without a usable trial has nothing left to start.
_GO_ON = (StudyStatus.INTERRUPTED, StudyStatus.STOPPED)
#: How much longer a retraining is that is offered.
_LONGER = 2
#: Fresh seeds each in the confirmation that is offered.
_SEEDS = 3


def commands_for(summary: Summary) -> tuple[Command, ...]:
    """What one can do next with a study, the most useful first; no command stands there twice."""
    folder, winner = summary.folder, summary.winner
    commands = []
    if _can_go_on(summary):
        commands.append(
            Command("resume", "go on with this study", study_command("resume", folder))
        )
    if winner is not None:
        commands += _with_weights(summary, winner)
    commands += _confirmation(summary)
    if winner is not None:
        purpose = "where the winner is" if summary.is_search else "where the result is"
        commands.append(Command("best", purpose, study_command("best", folder)))
    if summary.failures:
        why = study_command(f"explain {summary.failures[0].failure}", folder, "--study")
        commands.append(Command("explain", "what failed, and what to do about it", why))
    commands.append(Command("report", "write this report again", study_command("report", folder)))
    given = summary.provenance.get("command")
    if isinstance(given, list) and len(given) > 1:
        repeated = _repeated([str(word) for word in given], f"{summary.name}-again")
        commands.append(Command("repeat", "repeat it under a new name", repeated))
    return tuple(commands)


def _can_go_on(summary: Summary) -> bool:
    """Whether going on could come to more: not where the trainer never reports the metric."""
    is_open = summary.n_finished < summary.n_asked and summary.status in _GO_ON
    causes = {group.failure for group in summary.failures}
    return is_open and not (summary.winner is None and causes == {FailureClass.NO_METRIC})


def _confirmation(summary: Summary) -> list[Command]:
    """Fresh seeds for winner and default, where nothing but a seed's luck stands between them."""
    winner = summary.winner
    is_open = summary.status is StudyStatus.RUNNING or summary.n_finished < summary.n_asked
    takes_seed = summary.config.keys.seed
    if winner is None or winner.note != ONE_SEED or is_open or not takes_seed:
        return []
    line = study_command("confirm", summary.folder, more=("--seeds", str(_SEEDS)))
    purpose = f"train winner and default again with {_SEEDS} fresh seeds each"
    return [Command("confirm", purpose, line)]


def _with_weights(summary: Summary, winner: Winner) -> list[Command]:
    """What to do with a checkpoint, and with the settings; a script's are worth neither."""
    if summary.is_fake:
        return []
    return [*(_of_checkpoint(summary) if winner.checkpoint else ()), *_retrain(summary, winner)]


def _of_checkpoint(summary: Summary) -> list[Command]:
    folder, commands = summary.folder, []
    if summary.held_out is None:
        split = "test" if summary.config.data.test else "validation"
        purpose = f"score its checkpoint on the {split} data"
        commands.append(Command("evaluate", purpose, study_command("evaluate", folder, "--study")))
    purpose = "write its checkpoint as an ONNX file"
    return [*commands, Command("export", purpose, study_command("export", folder, "--study"))]


def _retrain(summary: Summary, winner: Winner) -> list[Command]:
    """A longer training, which needs the spec that the trial was trained with, and no more."""
    folder = summary.folder
    specs = [at.spec for _, at in StudyPaths(folder).attempts(winner.number) if at.spec.is_file()]
    if not specs or not summary.is_search:
        return []
    epochs = _epochs(specs[-1], summary.config.keys.epochs)
    if epochs is None:
        return []
    longer = f"train its settings for {_LONGER * epochs} epochs instead of {epochs}"
    more = ("--epochs", str(_LONGER * epochs))
    return [Command("retrain", longer, study_command("retrain", folder, "--study", more=more))]


def _epochs(spec: Path, key: str) -> int | None:
    """The epochs that a spec trains; None where it does not say."""
    try:
        return whole_number(load_yaml(spec), key)
    except (FixInput, OSError):
        return None


def training_of(config: StudyConfig, spec: Path, name: str, studies: Path) -> str:
    """The command that trains a spec of a study once more, as a study of its own.

    Args:
        config: The study that the spec comes from.
        spec: The complete spec.
        name: What the new study is called.
        studies: Folder of the study that the spec comes from, and of the new one.
    """
    words = ["run", "--policy", "off", "--spec", str(spec)]
    for flag, path in (("--train-data", config.data.train), ("--val-data", config.data.val)):
        if path:
            words += [flag, path]
    if not _is_own_skill(config.skill_dir):
        words += ["--skill-dir", config.skill_dir]
    return f"{program()} " + shlex.join([*words, "--name", name, *studies_flag(studies)])


def _is_own_skill(folder: str) -> bool:
    try:
        return Path(folder) == own_skill_dir()
    except FixInput:
        return False


def _repeated(given: Sequence[str], name: str) -> str:
    """The command that began the study, under another name."""
    words: list[str] = []
    rest = iter(given[1:])
    for word in rest:
        if word == "--name":
            next(rest, None)
        elif not word.startswith("--name="):
            words.append(word)
    return f"{program()} " + shlex.join([*words, "--name", name])
