"""What ``describe`` prints."""

import json
from collections.abc import Callable

import pytest

from automl.centerpose.program.cli import main

pytest.importorskip("torch", reason="the trainer program needs torch")


@pytest.mark.parametrize("form", ["table", "json"])
def test_the_cost_of_every_network(
    form: str, golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", "--format", form]) == 0
    out = capsys.readouterr().out
    suffix = {"table": "txt", "json": "json"}[form]
    golden(f"centerpose/describe.{suffix}", out)


def test_the_answer_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [set(each) for each in answer["models"]] == 5 * [
        {"model_type", "parameters", "gflop_forward"}
    ]
