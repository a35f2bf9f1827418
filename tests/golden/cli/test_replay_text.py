"""What ``automl replay`` says of a study and of a file of recorded trainings, word for word."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.jsontext import parse_json
from tests.unit.reports.study_builder import StudyBuilder, config, fill

Golden = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("AUTOML_STUDIES_DIR", raising=False)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """``said("replay", "bike-fan")``: both outputs and the exit code."""

    def run(*argv: str) -> str:
        code = main(argv)
        told = capsys.readouterr()
        return f"$ automl {' '.join(argv)}\n{told.err}{told.out}[exit {code}]\n"

    return run


def recorded(n_epochs: int = 4) -> None:
    """Twelve trainings, the first three of the same settings."""
    lines = [json.dumps({"recording": "B", "date": "2026-11-29"})]
    for number in range(12):
        lr = 1e-4 if number < 3 else 1e-5 * 1.6**number
        final = 0.5 - 1e4 * (lr - 3e-4) ** 2 + 0.01 * (number % 3)
        row = {
            "settings": {
                "train.optim.lr": lr,
                "train.optim.lr_steps": [2 + number % 2],
                "batch": 8,
            },
            "metrics": {
                "val_3DIoU": [0.0, *[final * (n + 1) / n_epochs for n in range(1, n_epochs)]],
                "train_loss": [9.0 - n * final for n in range(n_epochs)],
            },
            "epoch_s": [30.0, *[20.0] * (n_epochs - 1)],
            "exit_code": int(number == 11),
        }
        lines.append(json.dumps(row))
    Path("curves.jsonl").write_text("\n".join(lines) + "\n")


def test_a_study(said: Callable[..., str], golden: Golden) -> None:
    fill(StudyBuilder(Path("studies"), config()))
    argv = ("replay", "bike-fan", "--sampler", "random", "--trials", "12", "--seeds", "3")
    golden("cli/replay-study.txt", said(*argv))


def test_a_file(said: Callable[..., str], golden: Golden) -> None:
    recorded()
    golden("cli/replay-file.txt", said("replay", "curves.jsonl", "--trials", "6", "--seeds", "1"))


def test_json_has_a_schema(said: Callable[..., str]) -> None:
    recorded()
    text = said("replay", "curves.jsonl", "--trials", "5", "--places", "2", "--json")
    value = parse_json("{" + text.partition("{")[2].rpartition("}")[0] + "}", finite=True)
    assert value["schema"] == "automl.replay/1"
    assert value["asked"]["places"] == 2
    assert value["n_recordings"] == 12
    assert [run["n_trials"] for run in value["runs"]] == [5] * 5
    assert all(run["trainings"] <= 5 for run in value["runs"])


@pytest.mark.parametrize(
    ("flag", "typed", "meant"), [("sampler", "tep", "tpe"), ("fidelity", "fll", "full")]
)
def test_a_method_that_is_not_there(
    said: Callable[..., str], flag: str, typed: str, meant: str
) -> None:
    recorded()
    text = said("replay", "curves.jsonl", f"--{flag}", typed)
    assert f"did you mean {meant}?" in text
    assert text.endswith("[exit 2]\n")


MISTAKES: tuple[tuple[str, ...], ...] = (
    ("replay", "nowhere.jsonl"),
    ("replay", "curves.jsonl", "--metric", "val_3DIuO", "--direction", "maximize"),
    ("replay", "curves.jsonl", "--metric", "train_loss"),
    ("replay", "curves.jsonl", "--seeds", "0"),
    ("replay", "curves.jsonl", "--resume-cost", "-3"),
    ("replay", "curves.jsonl", "--fidelity", "asha"),
    ("replay", "bike-fan", "--metric", "train_loss"),
    ("replay", "empty.jsonl"),
    ("replay", "same.jsonl"),
    ("replay", "torn.jsonl"),
    ("replay", "list.jsonl"),
    ("replay", "deep.jsonl"),
    ("replay", "failed.jsonl"),
)


def test_mistakes(said: Callable[..., str], golden: Golden) -> None:
    recorded()
    row = '{"settings": {"lr": %s}, "metrics": {"val_3DIoU": [0.1]}, "exit_code": %d}\n'
    for name, text in (
        ("empty", '{"recording": "B"}\n'),
        ("same", row % ("1", 0) + row % ("1", 0)),
        ("torn", row % ("1", 0) + '{"settings": {"lr": 1'),
        ("list", "[1, 2]\n"),
        ("deep", row % ('{"deep": 1}', 0)),
        ("failed", row % ("1", 1) + row % ("2", 1)),
    ):
        Path(f"{name}.jsonl").write_text(text)
    text = "\n".join(said(*argv) for argv in MISTAKES)
    assert "Traceback" not in text
    golden("cli/replay-mistakes.txt", text)
