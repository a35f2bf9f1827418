"""Settings that environment variables give: stronger than the study file, weaker than a flag."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.app.study_settings import NO_SETTINGS, TABLE
from automl.cli.main import main
from automl.errors import FixInput
from automl.settings.environment import environment_layer, mistyped, variable_of

FILE = "trials: 5\nset: {train.num_epochs: 12, dataset.category: bike}\n"


def rows(
    capsys: pytest.CaptureFixture[str], *words: str
) -> dict[tuple[str, str], tuple[Any, str]]:
    assert main(["config", *words, "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    return {(one["group"], one["name"]): (one["value"], one["origin"]) for one in settings}


def test_a_flag_beats_a_variable_and_a_variable_a_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(FILE)
    monkeypatch.setenv("AUTOML_TRIALS", "7")
    monkeypatch.setenv("AUTOML_SET", "train.num_epochs=3 'train.optim.lr=1e-4'")
    found = rows(capsys, str(file))
    assert found["limits", "trials"] == (7, "AUTOML_TRIALS")
    assert found["spec", "train.num_epochs"] == (3, "AUTOML_SET")
    assert found["spec", "dataset.category"][1] == str(file)
    assert rows(capsys, str(file), "--trials", "9")["limits", "trials"] == (9, "--trials")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_wall", "2h", 7200.0),
        ("confirm", "auto", "auto"),
        ("accept_drift", "yes", True),
        ("accept_drift", "0", False),
        ("warm_start", "one 'the other'", ("one", "the other")),
        ("failed_share", "0.25", 0.25),
        ("trials", "  ", None),
    ],
)
def test_a_variable_is_read_as_its_flag_is(name: str, text: str, value: Any) -> None:
    layer = environment_layer(TABLE, {variable_of(TABLE[name]): text})
    assert layer.values.get(name) == value


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("AUTOML_TRIALS", "many", "trials must be a whole number"),
        ("AUTOML_ACCEPT_DRIFT", "perhaps", "AUTOML_ACCEPT_DRIFT must be true or false"),
        ("AUTOML_SET", "'open", "must be words as a shell reads them"),
        ("AUTOML_FAILED_SHARE", "1.5", "must be a share"),
    ],
)
def test_a_mistake_names_the_variable(variable: str, text: str, message: str) -> None:
    with pytest.raises(FixInput, match=message) as caught:
        environment_layer(TABLE, {variable: text})
    assert caught.value.where == variable


def test_no_setting_is_called_like_a_variable_that_means_something_else() -> None:
    assert not {variable_of(setting) for setting in TABLE.values()} & set(NO_SETTINGS)


def test_a_variable_that_is_mistyped_is_said() -> None:
    known = {"AUTOML_TRAILS": "5", "AUTOML_NOTIFY": "x", "AUTOML_TRIALS": "5", "HOME": "/root"}
    (said,) = mistyped(TABLE, known, NO_SETTINGS)
    assert "AUTOML_TRAILS is no variable of this program" in said
    assert "AUTOML_TRIALS" in said
