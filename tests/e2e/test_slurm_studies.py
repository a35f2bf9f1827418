"""A study as a job of a real Slurm: over a time limit, put back by hand, on two nodes, to its end.

The second node is another host: a network namespace of this machine.
"""

import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.app.slurm import SlurmJob, batch_script, submit
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import FailureClass, OutcomeState
from tests.e2e.other_host import OtherHost, other_host, why_no_host
from tests.e2e.terminal import Terminal, eventually
from tests.slurm.cluster import ALLOW, PrivateSlurm, why_no_control_groups, why_not

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

TRIALS = 6
PROGRAM = "tests.e2e.serially"


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[OtherHost | None, ...]]:
    """This machine, and another one where there can be one."""
    if why_no_host():
        yield (None,)
        return
    with other_host() as host:
        yield None, host


@pytest.fixture(scope="module")
def slurm(
    hosts: tuple[OtherHost | None, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateSlurm]:
    yield from started(PrivateSlurm(tmp_path_factory.mktemp("slurm") / "state", hosts))


def started(cluster: PrivateSlurm) -> Iterator[PrivateSlurm]:
    """A Slurm until its last use; skips, with the reason, where none can run."""
    reason = why_not()
    if reason and os.environ.get(ALLOW) == "2":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
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


def test_a_job_goes_on_over_its_time_limit(
    slurm: PrivateSlurm, in_job: Callable[..., SlurmJob]
) -> None:
    job = in_job("chairs", 1.5, ("time", "1"), warning_s=45)
    number = submit(batch_script(job), job.studies_dir)
    study, log = job.studies_dir / "chairs", job.studies_dir / f"chairs.slurm-{number}.log"

    wait_for(slurm, number, lambda found: found["Restarts"] == "1")
    assert "the time limit is near" in log.read_text()
    assert json.loads((study / "state.json").read_text())["status"] == "interrupted"

    slurm.run("scontrol", "update", f"JobId={number}", "TimeLimit=10")
    wait_for(slurm, number, lambda found: found["JobState"] in ("COMPLETED", "FAILED"))
    assert fields(slurm, number)["JobState"] == "COMPLETED", log.read_text()
    assert finished(study) == [*range(TRIALS)]


def test_a_job_of_two_nodes_trains_on_both_with_its_own_gpus_and_goes_on_where_it_was_put_back(
    terminal: Terminal,
    slurm: PrivateSlurm,
    hosts: tuple[OtherHost | None, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if len(hosts) == 1:
        pytest.skip(why_no_host())
    monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))
    monkeypatch.setenv("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", "5")
    # Whoever came first has GPU 0 of each node.
    wait = "#!/bin/sh\nsleep 600\n"
    holder = slurm.run(
        "sbatch", "--parsable", "--nodes=2", "--gpus-per-node=1", "--output=none", script=wait
    ).strip()
    wait_for(slurm, holder, lambda found: found["JobState"] == "RUNNING")
    study = terminal.study_file(
        "trials: 6\nconfirm: 0\nsampler: random\nfidelity: full\n"
        "set: {train.num_epochs: 3}\nscript: {epoch_s: 1.0}\n"
    )
    said = terminal.run("slurm", study, "--name", "s", "--nodes", "2", "--gpus-per-node", "1")
    assert said.code == 0, said.err
    number = said.out.split()[1]
    paths = StudyPaths(terminal.studies / "s")
    log = terminal.studies / f"s.slurm-{number}.log"

    def ended() -> list[tuple[str, OutcomeState, str]]:
        places = [place for n in paths.numbers() for _, place in paths.attempts(n)]
        found = [(place, read_outcome(place)[0]) for place in places]
        return [
            (each.node.partition(" ")[0], each.state, place.gpus.read_text())
            for place, each in found
            if each is not None
        ]

    try:
        assert eventually(lambda: len(ended()) >= 2, 120.0), log.read_text()
        slurm.run("scontrol", "requeue", number)
        wait_for(slurm, number, lambda found: found["JobState"] in ("COMPLETED", "FAILED"))
    finally:
        slurm.run("scancel", holder)
    assert fields(slurm, number)["JobState"] == "COMPLETED", log.read_text()
    assert finished(paths.folder) == [*range(TRIALS)]
    # One node may come so late that all that it trained was put back.
    assert len({node for node, _, _ in ended()}) == 2
    trained = [gpus for _, state, gpus in ended() if state is OutcomeState.OK]
    assert {str(json.loads(gpus)["gpus"]) for gpus in trained} == {"['1']"}


@pytest.fixture
def bound_slurm(tmp_path: Path) -> Iterator[PrivateSlurm]:
    """A Slurm that holds its jobs to their CPUs, memory and GPUs."""
    if reason := why_no_control_groups():
        pytest.skip(reason)
    yield from started(PrivateSlurm(tmp_path / "slurm", binds=True))


def test_what_slurm_leaves_a_job_counts_and_memory_that_it_takes_away_is_said(
    terminal: Terminal, bound_slurm: PrivateSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in terminal.environment().items():
        monkeypatch.setenv(name, value)
    skill = terminal.folder / "skill"
    shutil.copytree(Path(__file__).parents[1] / "fixtures" / "plain_regression", skill)
    program = skill / "fit.py"
    program.write_text(f"{program.read_text()}\nheld = b'x' * (3 << 30)\n")
    ours = shlex.join([sys.executable, "-m", "automl"])
    where = f"--studies-dir {terminal.studies}"
    gpus = " ".join(map(str, bound_slurm.gpus))
    script = f"""#!/bin/bash
cd {terminal.folder}
for gpu in {gpus}; do : <$gpu; done 2>gpus
{ours} doctor {where} --json >doctor
{ours} run --policy off --skill-dir {skill} --name fit {where} 2>run
"""
    asked = ("--cpus-per-task=1", "--mem=1200", "--gpus-per-node=1", "--output=none")
    monkeypatch.setenv("SLURM_CONF", str(bound_slurm.configuration))
    number = bound_slurm.run("sbatch", "--parsable", *asked, script=script).strip()
    wait_for(bound_slurm, number, lambda found: found["JobState"] not in ("PENDING", "RUNNING"))
    assert fields(bound_slurm, number)["JobState"] == "OUT_OF_MEMORY"

    granted, kept_away = (terminal.folder / "gpus").read_text().splitlines()
    assert granted.endswith("No such device or address")  # the driver of these GPUs is not here
    assert kept_away.endswith("Operation not permitted")
    checks = json.loads((terminal.folder / "doctor").read_text())["checks"]
    (machine,) = [check["detail"] for check in checks if check["name"] == "machine"]
    limits = rf"1 (of \d+ CPUs|CPU), 1\.3 of [\d.]+ GB of memory \(limits of Slurm job {number}\)"
    assert re.match(limits, machine), machine
    outcome, _ = read_outcome(StudyPaths(terminal.studies / "fit").attempt(0, 1))
    assert outcome is not None
    assert outcome.failure is FailureClass.OOM
    assert outcome.evidence.startswith("the kernel killed the trainer because memory ran out")
