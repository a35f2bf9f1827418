"""A trial that pauses at its rungs and goes on equals one that was never paused, bit for bit."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.app.plan import Plan, make_plan
from automl.app.request import PlanRequest
from automl.app.run import start
from automl.app.screen import Silent
from automl.search.decision import Continue, Decision, Pause, SearchEnd
from automl.search.method import GoOn, Propose, SearchView, Start
from automl.search.methods.limits import why_no_more
from automl.search.methods.table import METHODS
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState, TrialState
from automl.yamltext import load_yaml
from tests.e2e.test_exact_resume import assert_same

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(900)]

EPOCHS, RUNG = 6, 2
STUDY = f"""
data: {{synth: {{category: shoe, train: 4, val: 2, test: 0, seed: 1}}}}
keep: all
max_concurrent: 1
set:
  dataset.category: shoe
  dataset.batch_size: 2
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: {EPOCHS}
  train.checkpoint_interval: {EPOCHS}
  train.optim.lr: 2e-3
  train.optim.lr_steps: [3, 4]
  train.seed: 7
"""


@dataclass(frozen=True, slots=True)
class EveryonePauses:
    """Every trial pauses at its rung, and goes on once all have been there."""

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        ended = why_no_more(view)
        if ended is None:
            return Propose()
        held = view.searched(TrialState.PAUSED)
        if held:
            return GoOn(held[0].number, "its turn")
        return None if view.searched(TrialState.RUNNING, TrialState.WAITING) else ended

    def judge(self, view: SearchView, number: int) -> Decision:
        at_rung = view.by_number[number].epoch + 1 in view.config.search.rungs
        return Pause("everyone pauses") if at_rung else Continue()


def planned(folder: Path, name: str, more: str, **flags: object) -> Plan:
    file = folder / "shoe.yaml"
    file.write_text(STUDY + more)
    asked = {"name": name, **flags}
    return make_plan(PlanRequest(asked, file, False, folder / "studies", ("automl", "run")))


def kpis(paths: StudyPaths, number: int) -> dict[int, str]:
    found = {}
    for _, attempt in paths.attempts(number):
        for line in map(json.loads, (attempt.folder / "status.json").read_text().splitlines()):
            if "epoch" in line:
                found[line["epoch"]] = json.dumps(line.get("kpi"), sort_keys=True)
    return found


def last_checkpoint(paths: StudyPaths, number: int) -> Path:
    found = paths.trial(number).glob(f"*/model_epoch_{EPOCHS - 1:03d}_*.pth")
    return max(found)


@pytest.mark.parametrize("trainer_start", ["warm", "cold"])
def test_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer_start: str
) -> None:
    pauses_exactly(tmp_path, monkeypatch, f"trainer_start: {trainer_start}\n")


def pauses_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> StudyPaths:
    """Trains one trial whole, and two that pause; the study of these."""
    import torch

    whole = planned(tmp_path, "whole", more, trials=1, fidelity="full")
    assert start(whole, Silent()).exit_code == 0
    monkeypatch.setitem(METHODS, "asha", lambda config: EveryonePauses())
    pausing = planned(tmp_path, "pausing", more, trials=2, fidelity="asha")
    assert pausing.config.search.rungs == (RUNG,)
    assert start(pausing, Silent()).exit_code == 0

    paths, other = (StudyPaths(tmp_path / "studies" / name) for name in ("pausing", "whole"))
    for number in range(2):
        first, second = (paths.attempt(number, attempt) for attempt in (1, 2))
        paused, done = read_outcome(first)[0], read_outcome(second)[0]
        assert paused is not None
        assert done is not None
        assert (paused.state, done.state) == (OutcomeState.PAUSED, OutcomeState.OK)
        assert [entry.epoch for entry in paused.measurements] == list(range(RUNG))
        assert [entry.epoch for entry in done.measurements] == list(range(EPOCHS))
        train = load_yaml(second.spec)["train"]
        place = paths.folder / str(paused.checkpoint)
        assert train["resume_training_checkpoint_path"] == str(place)
        assert f"model_epoch_{RUNG - 1:03d}_" in place.name
        assert train["num_epochs"] == EPOCHS

    one, two = (torch.load(last_checkpoint(each, 0), weights_only=True) for each in (paths, other))
    assert_same(one, two, "checkpoint")
    ours, theirs = kpis(paths, 0), kpis(other, 0)
    assert ours == theirs
    assert sorted(ours) == list(range(EPOCHS))
    return paths
