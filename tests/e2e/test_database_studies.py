"""Studies in a real PostgreSQL: shared, locked, and going on where the server went away."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from automl.cli.main import main
from automl.errors import FixInput, ResolveConflict, ResumeLater
from automl.search.engine import Engine
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.database_lock import DatabaseLock
from automl.study.database_url import PASSWORD_VARIABLE
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.patience import Patience
from automl.study.records import Measurement, Outcome, OutcomeState, TrialState
from automl.study.shared import shared_studies
from automl.study.storage import check_new, create_study, open_storage
from automl.study.trials import read_records
from tests.e2e.terminal import Terminal
from tests.postgres.server import PASSWORD, PrivateServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TRIALS = 6
#: How long the server is away in mid-study.
_AWAY_S = 20.0
OBJECTIVE = Objective("score", Direction.MAXIMIZE)
SPACE = SearchSpace(
    (Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),),
)


def config(name: str, url: str) -> StudyConfig:
    search = SearchSettings(sampler="random", seed=1)
    limits = Limits(TRIALS, confirm=0)
    return StudyConfig(
        name, "/skill", "on", "default", OBJECTIVE, search=search, limits=limits, storage_url=url
    )


def opened(folder: Path, name: str, url: str, patience: Patience) -> Engine:
    asked = config(name, url)
    storage = open_storage(StudyPaths(folder), url, patience)
    return Engine(create_study(storage, name, OBJECTIVE), SPACE, asked)


def train_all(engine: Engine, between: Callable[[int], None] = lambda _: None) -> None:
    """Every trial of a search, one after the other, with two measurements each."""
    while (attempt := engine.ask()) is not None:
        measured = []
        for epoch in range(2):
            measured.append(Measurement(epoch, {"score": attempt.number / 10 + epoch}, 1.0))
            engine.report(attempt.number, measured[-1])
            between(attempt.number)
        done = Outcome(attempt.number, attempt.attempt, OutcomeState.OK, tuple(measured))
        engine.finish(done)


def test_a_server_that_stops_in_mid_study_is_waited_for(
    tmp_path: Path, postgres: PrivateServer, database: str
) -> None:
    said: list[str] = []
    taken: list[str] = []
    patience = Patience(tell=said.append, regain=lambda: taken.append("again"))
    engine = opened(tmp_path, "away", database, patience)
    stopped: list[threading.Thread] = []

    def stop(number: int) -> None:
        if number == 2 and not stopped:
            postgres.stop()
            stopped.append(threading.Timer(_AWAY_S, postgres.start))
            stopped[0].start()

    train_all(engine, stop)
    stopped[0].join()
    assert [line.partition(":")[0] for line in said[:1]] == ["the database does not answer"]
    assert any("answers again" in line for line in said)
    assert taken
    records = engine.records()
    assert [record.number for record in records] == [*range(TRIALS)]
    assert {record.state for record in records} == {TrialState.COMPLETE}
    assert all(record.values == {0: n / 10, 1: n / 10 + 1} for n, record in enumerate(records))
    study = open_storage(StudyPaths(tmp_path), database)
    (known,) = study.get_all_studies()
    assert len(study.get_all_trials(known._study_id)) == TRIALS


def test_a_server_that_stays_away_ends_the_search_so_that_it_can_be_resumed(
    tmp_path: Path, postgres: PrivateServer, database: str
) -> None:
    engine = opened(tmp_path, "lost", database, Patience(wait_s=1.0))
    attempt = engine.ask()
    assert attempt is not None
    postgres.stop()
    began = time.monotonic()
    try:
        with pytest.raises(ResumeLater, match="the database of a study must answer") as error:
            engine.report(attempt.number, Measurement(0, {"score": 0.5}, 1.0))
    finally:
        postgres.start()
    assert time.monotonic() - began < 60
    assert error.value.exit_code == 75
    assert PASSWORD not in str(error.value)


def test_two_drivers_of_one_study_are_kept_apart(database: str) -> None:
    with DatabaseLock(database, "bikes"):
        with (
            pytest.raises(ResolveConflict, match=r"one process at a time, .* pid \d+"),
            DatabaseLock(database, "bikes"),
        ):
            pass
        with DatabaseLock(database, "chairs"):
            pass
    with DatabaseLock(database, "bikes"):
        pass


def test_a_lock_is_lost_with_its_server_and_taken_again(
    postgres: PrivateServer, database: str
) -> None:
    with DatabaseLock(database, "bikes") as lock:
        postgres.stop()
        postgres.start()
        lock.take()
        with pytest.raises(ResolveConflict), DatabaseLock(database, "bikes"):
            pass


def test_studies_of_many_are_listed_and_their_names_are_new(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    train_all(opened(tmp_path, "bikes", database, Patience()))
    opened(tmp_path, "chairs", database, Patience()).ask()
    with pytest.raises(ResolveConflict, match="bikes, which is there already"):
        check_new(database, "bikes")
    check_new(database, "lamps")
    by_name = {study.name: study for study in shared_studies(database)}
    assert (by_name["bikes"].n_ended, by_name["bikes"].best) == (TRIALS, 1.5)
    assert (by_name["chairs"].n_ended, by_name["chairs"].n_trials) == (0, 1)
    assert main(["list", "--storage", database]) == 0
    shown = capsys.readouterr().out
    assert "bikes" in shown
    assert "6/6" in shown
    assert "0/1" in shown


def test_a_whole_study_whose_password_is_written_down_nowhere(
    terminal: Terminal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE)
    with pytest.raises(FixInput, match=r"PGPASSWORD or ~/\.pgpass"):
        open_storage(StudyPaths(terminal.folder), database)
    terminal.program = "tests.e2e.serially"
    file = terminal.study_file("set: {train.num_epochs: 2}\nscript: {epoch_s: 0.0}\n")
    url = database.replace("@", f":{PASSWORD}@", 1)
    asked = ("run", file, "--storage", url, "--name", "bikes", "--trials", "2", "--confirm", "0")
    done = terminal.run(*asked)
    assert done.code == 0, done.err
    folder = terminal.studies / "bikes"
    assert not (folder / "study.journal").exists()
    holding = [path for path in folder.rglob("*") if path.is_file() and _holds(path, PASSWORD)]
    assert not holding
    assert PASSWORD not in done.out + done.err
    # The name is taken for everybody, wherever their folders are.
    other = terminal.run(*asked, "--studies-dir", "elsewhere")
    assert other.code == 7, other.err
    assert "bikes, which is there already" in other.err
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    assert terminal.run("resume", "bikes", "--trials", "3").code == 0
    assert json.loads((folder / "state.json").read_text())["counts"] == {"complete": 3}


def _holds(path: Path, word: str) -> bool:
    return word.encode() in path.read_bytes()


def test_the_records_of_a_database_are_those_of_its_study(tmp_path: Path, database: str) -> None:
    engine = opened(tmp_path, "bikes", database, Patience())
    train_all(engine)
    storage = open_storage(StudyPaths(tmp_path), database)
    study = optuna.load_study(study_name="bikes", storage=storage)
    assert read_records(study, OBJECTIVE) == engine.records()
