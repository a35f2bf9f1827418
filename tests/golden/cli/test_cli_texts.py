"""What the command line says, word for word: help, a plan, and the errors of typical mistakes."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automl import __version__
from automl.cli.main import main
from automl.skill.read import own_skill_dir
from tests.golden.small_machine import put_on_a_small_machine

Golden = Callable[[str, str], None]

STUDY = """\
automl_policy: on
data: {train: data/train, val: data/val}
set:
  dataset.batch_size: 4
  train.num_epochs: 30
  train.optim.lr: 1e-4
search:
  dataset.flip: 0.1..0.9
trainer: scripted
script: {epoch_s: 0.0}
trial_timeout: 2h
trials: 12
seed: 3
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study file and small data, on a machine of two CPUs."""
    put_on_a_small_machine(tmp_path, STUDY, monkeypatch)
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], here: Path) -> Callable[..., str]:
    """``said("plan", "study.yaml")``: exit code and both outputs, without this machine's paths."""

    def run(*argv: str) -> str:
        try:
            code = main(argv)
        except SystemExit as ended:
            code = int(str(ended.code))
        told = capsys.readouterr()
        text = f"$ automl {' '.join(argv)}\n{told.err}{told.out}[exit {code}]\n"
        return _normalised(text, here)

    return run


def _normalised(text: str, here: Path) -> str:
    text = text.replace(str(here), "HERE").replace(str(own_skill_dir()), "SKILL")
    return re.sub(r"-\d{4}-\d{4}\b", "-MMDD-HHMM", text).replace(__version__, "VERSION")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse words its help in its own way")
@pytest.mark.parametrize("command", ["", "run", "data convert"])
def test_help(said: Callable[..., str], golden: Golden, command: str) -> None:
    name = command.replace(" ", "-") or "automl"
    golden(f"cli/help-{name}.txt", said(*command.split(), "--help"))


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are as long as they are: where they break hangs on how long a path is."""
    monkeypatch.delenv("COLUMNS")


@pytest.mark.usefixtures("piped")
def test_plan_of_a_search(said: Callable[..., str], golden: Golden) -> None:
    golden("cli/plan-search.txt", said("plan", "study.yaml", "--name", "bikes", "--first", "3"))


@pytest.mark.usefixtures("piped")
def test_plan_of_one_training(said: Callable[..., str], golden: Golden) -> None:
    argv = ("plan", "study.yaml", "--request", "no HPO", "--policy", "off")
    golden("cli/plan-training.txt", said(*argv))


def test_space(said: Callable[..., str], golden: Golden) -> None:
    golden("cli/space.txt", said("space", "study.yaml", "--sample", "2"))


@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("unknown-key", ("plan", "study.yaml", "--set", "train.optim.learning_rate=1e-3")),
        ("wrong-type", ("plan", "study.yaml", "--set", "train.num_epochs=many")),
        ("no-data", ("run", "--set", "model.backbone.model_type=DLA34")),
        ("batch-too-large", ("run", "study.yaml", "--set", "dataset.batch_size=64")),
        (
            "nothing-to-search",
            ("run", "study.yaml", "--freeze", "train.optim.lr", "--freeze", "dataset.flip"),
        ),
        ("no-such-study", ("best", "bikse")),
        ("no-such-file", ("run", "stduy.yaml")),
        ("wrong-policy", ("run", "study.yaml", "--policy", "maybe")),
        ("two-nodes", ("run", "study.yaml", "--set", "train.num_nodes=2")),
        ("own-folder", ("run", "study.yaml", "--set", "results_dir=/elsewhere")),
    ],
)
def test_mistakes(
    said: Callable[..., str], golden: Golden, name: str, argv: tuple[str, ...]
) -> None:
    text = said(*argv)
    assert "[exit 2]" in text
    assert "Traceback" not in text
    golden(f"cli/error-{name}.txt", text)


#: Mistakes on the command line, each beside the study file of these tests.
MISTAKES: tuple[tuple[str, ...], ...] = (
    ("rnu",),
    ("data", "synht"),
    ("run", "--quiet"),
    ("run", "--notify", "x"),
    ("run", "--polcy", "off"),
    ("run", "--tria", "3"),
    ("run", "--name"),
    ("plan", "study.yaml", "other.yaml"),
    ("plan", "study.yaml", "--first", "x"),
    ("space", "--format", "jsn"),
    ("report", "one", "two"),
    ("retrain",),
    ("plan", "--demo", "study.yaml"),
    *(
        ("plan", "study.yaml", flag, value)
        for flag, value in (
            ("--name", "a/b"),
            ("--skill-dir", "nowhere"),
            ("--train-data", "nowhere"),
            ("--spec", "nowhere.yaml"),
            ("--set", "train.num_epochs"),
            ("--set", "train.num_epoch=3"),
            ("--set", "train=3"),
            ("--parent-checkpoint", "nowhere.pth"),
            ("--space", "evrything"),
            ("--search", "train.optim.lr=3..1"),
            ("--search", "train.optim.lr=0..1:log"),
            ("--search", "train.optim.lr=1e-5..1e-3:wide"),
            ("--search", "train.optim.lrr=1e-5..1e-3"),
            ("--search", "train.optim"),
            ("--search", "results_dir=a,b"),
            ("--freeze", "train.optim.lrr"),
            ("--freeze", "=3"),
            ("--metric", "val_loss"),
            ("--direction", "up"),
            ("--sampler", "tpa"),
            ("--pruner", "mean"),
            ("--seed", "-1"),
            ("--trials", "many"),
            ("--trials", "0"),
            ("--confirm", "-1"),
            ("--trial-timeout", "soon"),
            ("--trial-timeout", "0"),
            ("--same-failures", "0"),
            ("--max-concurrent", "0"),
            ("--gpus-per-trial", "2"),
            ("--gpus", "first"),
            ("--gpus", "0"),
            ("--keep", "most"),
            ("--trainer", "dokcer"),
            ("--trainer-start", "hot"),
            ("--pids-limit", "few"),
        )
    ),
    ("plan", "study.yaml", "--trainer", "docker", "--env", "KEY=hush"),
    ("plan", "study.yaml", "--trainer", "docker", "--memory", "much"),
)

#: Mistakes in a study file.
STUDY_MISTAKES = (
    "- trials",
    "trials: [3]",
    "trails: 3",
    "trials: 3\ntrials: 4",
    "trials: !!python/object:os.system 3",
    "set: [a=1]",
    "data: train",
    "data: {trian: x}",
    "data: {synth: {catgory: bike}}",
    "data: {synth: {train: many}}",
    "search: 3",
    "search: {train.optim.lr: [1, 2}",
    "automl_policy: sometimes",
    "script: fast",
    "trainer: scripted\nscript: {epoch_s: soon}\ndata: {train: data/train, val: data/val}",
    "trainer: scripted\nscript: {tpo: 1}\ndata: {train: data/train, val: data/val}",
)


def test_every_mistake_reads_as_a_person_would_say_it(
    said: Callable[..., str], golden: Golden, here: Path
) -> None:
    texts = [said(*argv) for argv in MISTAKES]
    for text in STUDY_MISTAKES:
        (here / "mistake.yaml").write_text(f"{text}\n")
        shown = "".join(f"  | {line}\n" for line in text.splitlines())
        texts.append(f"{shown}{said('plan', 'mistake.yaml')}")
    assert [text for text in texts if "\nerror: " not in text] == []
    assert all("[exit 2]" in text or "[exit 3]" in text for text in texts)
    assert not any("Traceback" in text or "hush" in text.partition("error:")[2] for text in texts)
    golden("cli/mistakes.txt", "\n".join(texts))
