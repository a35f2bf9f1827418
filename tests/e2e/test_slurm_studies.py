"""A study as a job of a real Slurm: to its end, over a time limit and a job put back by hand."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.app.slurm import SlurmJob, batch_script, submit
from tests.e2e.terminal import Terminal
from tests.slurm.cluster import PrivateSlurm, why_not

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

TRIALS = 6
PROGRAM = "tests.e2e.serially"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSlurm]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    cluster = PrivateSlurm(tmp_path_factory.mktemp("slurm") / "state")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def in_job(
    terminal: Terminal, slurm: PrivateSlurm, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., SlurmJob]:
    """``in_job(name, epoch_s, ...)``: a study of six trials of three epochs as a job."""
    terminal.program = PROGRAM
    for name, value in terminal.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))

    def make(name: str, epoch_s: float, *options: tuple[str, str], warning_s: int) -> SlurmJob:
        text = f"set: {{train.num_epochs: 3}}\nscript: {{epoch_s: {epoch_s}}}\n"
        return SlurmJob(
            name=name,
            study_file=terminal.folder / terminal.study_file(text),
            studies_dir=terminal.studies,
            folder=terminal.folder,
            arguments=("--trials", str(TRIALS), "--confirm", "0", "--sampler", "random"),
            options=options,
            program=PROGRAM,
            warning_s=warning_s,
        )

    return make


def fields(slurm: PrivateSlurm, number: str) -> dict[str, str]:
    """What Slurm says of a job."""
    return dict(re.findall(r"(\w+)=(\S*)", slurm.run("scontrol", "show", "job", number)))


def wait_for(slurm: PrivateSlurm, number: str, is_so: Callable[[dict[str, str]], bool]) -> None:
    while not is_so(fields(slurm, number)):
        time.sleep(0.5)


def finished(study: Path) -> list[int]:
    """The numbers of the trials of a study that has ended as it should."""
    state = json.loads((study / "state.json").read_text())
    assert (state["status"], state["counts"]) == ("finished", {"complete": TRIALS})
    assert (study / "report" / "index.html").is_file()
    summary = json.loads((study / "report" / "report.json").read_text())
    return [trial["number"] for trial in summary["trials"]]


def test_a_job_goes_on_over_its_time_limit_and_where_it_was_put_back(
    slurm: PrivateSlurm, in_job: Callable[..., SlurmJob]
) -> None:
    job = in_job("chairs", 1.5, ("time", "1"), warning_s=45)
    number = submit(batch_script(job), job.studies_dir)
    study, log = job.studies_dir / "chairs", job.studies_dir / f"chairs.slurm-{number}.log"

    wait_for(slurm, number, lambda found: found["Restarts"] == "1")
    text = log.read_text()
    assert "the time limit is near" in text
    assert json.loads((study / "state.json").read_text())["status"] == "interrupted"

    slurm.run("scontrol", "update", f"JobId={number}", "TimeLimit=10")
    wait_for(slurm, number, lambda found: found["JobState"] == "RUNNING")
    wait_for(slurm, number, lambda _: "trial" in log.read_text().removeprefix(text))
    slurm.run("scontrol", "requeue", number)
    wait_for(slurm, number, lambda found: found["Restarts"] == "2")

    wait_for(slurm, number, lambda found: found["JobState"] in ("COMPLETED", "FAILED"))
    assert fields(slurm, number)["JobState"] == "COMPLETED", log.read_text()
    assert finished(study) == [*range(TRIALS)]
