"""What the page on searches says of the choices is what their rows say."""

import json
from pathlib import Path

import pytest

from tests.bench.search import paired
from tests.bench.search.page import PAGE
from tests.bench.search.paired import SHOWN, differences, read_rows

RESULTS = Path(paired.__file__).with_name("sampler_results")
SAMPLER = {
    "level": "a level that the values tell",
    "four first values": "four first values, not eight or more",
    "both": "both",
    "lengthscales": "both, shorter lengthscales (median 0.4, not 0.5)",
    "sum": "both, a sum over the settings",
    "sum and lengthscales": "all four: what it is",
}
RUNGS = {
    "few": "who goes on must be in the best third, and fewer than a third have gone on "
    "(as in Hyper-Tune)",
    "few1.5": "the same, up to half",
    "eta0.5": "the best half goes on",
    "one": "one rung only, at a third of the training",
    "post": "ranked by the model over all settings, each trial's prediction included",
    "noaud": "no audit",
    "start8": "eight first values, not four",
}


@pytest.mark.parametrize("choice", SAMPLER)
def test_of_the_sampler(choice: str) -> None:
    rows = read_rows(RESULTS / "choices.json", 200, 219)
    pairs = [differences(rows, "before", cost)[choice]["made up"] for cost in SHOWN]
    cells = " | ".join(f"{mean:+.3f} ± {error:.3f}" for mean, error in pairs)
    assert f"| {SAMPLER[choice]} | {cells} |" in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("choice", RUNGS)
def test_of_the_rungs(choice: str) -> None:
    path = RESULTS / "rung_choices.json"
    rows = read_rows(path)
    mean, error = differences(rows, "base", 25)[choice]["made up"]
    begun = [row["trials"] for row in rows if row["choice"] == choice]
    cells = f"{mean:+.3f} ± {error:.3f} | {sum(begun) / len(begun):.0f}"
    assert choice in json.loads(path.read_text(encoding="utf-8"))["what"]
    assert f"| {RUNGS[choice]} | {cells} |" in PAGE.read_text(encoding="utf-8").splitlines()
