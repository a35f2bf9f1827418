"""Whatever became of a record of a study, its reader gets an answer or an error that names it."""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from automl.app.clean import find_leftovers
from automl.app.trial_choice import find_trial
from automl.app.winner import keep_best_current
from automl.errors import AutomlError
from automl.files import write_json
from automl.reports.listing import list_of
from automl.reports.markdown import render_markdown
from automl.reports.summary import read_summary
from automl.reports.text import best_text, status_text
from automl.reports.write import render_json
from automl.search.engine import Engine
from automl.space.model import SearchSpace
from automl.study.actions import ActionRecord, Origin, read_actions, write_action
from automl.study.folder import list_studies, read_config, read_space
from automl.study.layout import StudyPaths
from automl.study.lock import Owner
from automl.study.ranking import best_trial
from automl.study.state import StudyState, StudyStatus, read_state, write_state
from automl.study.storage import open_storage, open_study, read_study
from automl.study.trials import read_records
from tests.mutations import mutated_bytes, mutated_json, mutated_lines, seeded
from tests.unit.reports.study_builder import StudyBuilder, config, fill

GOLDEN = Path(__file__).parents[1] / "golden" / "study" / "format_1.journal"
N_INPUTS = 40

pytestmark = pytest.mark.filterwarnings("ignore:Choices for a categorical:UserWarning")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def read(paths: StudyPaths) -> None:
    """What ``status``, ``best`` and ``report`` do."""
    summary = read_summary(paths.folder)
    status_text(summary, read_state(paths), datetime.now(UTC))
    best_text(summary)
    render_json(summary)
    render_markdown(summary)


def go_on(paths: StudyPaths) -> None:
    """What ``resume`` does before it starts anything."""
    known = read_config(paths)
    read_study(paths, known)
    study = open_study(open_storage(paths), known.name, known.objective)
    engine = Engine(study, SearchSpace.from_json(read_space(paths)), known)
    engine.recover(paths, lambda _: (), lambda _, __: None)
    keep_best_current(paths, engine.incumbent(), known.keys)
    engine.ask()


def use(paths: StudyPaths) -> None:
    """Everything that reads a study; only named errors may come of it."""
    for command in (read, go_on):
        with suppress(AutomlError):
            command(paths)
    # These go on over a study that cannot be read.
    assert len(list_of(paths.folder.parent)) == len(list_studies(paths.folder.parent))
    find_leftovers(list_studies(paths.folder.parent), paths.folder.parent, None)


def filled(folder: Path) -> StudyPaths:
    builder = StudyBuilder(folder)
    fill(builder)
    return builder.paths


def replayed(folder: Path) -> StudyPaths:
    """A study whose journal holds every operation that a driver writes."""
    paths = StudyBuilder(folder, config("golden")).paths
    shutil.copy(GOLDEN, paths.journal)
    return paths


@pytest.mark.parametrize("make", [filled, replayed])
def test_a_broken_journal_is_named_or_read(
    make: Callable[[Path], StudyPaths], tmp_path: Path
) -> None:
    original = make(tmp_path / "original")
    content = original.journal.read_bytes()
    for seed in range(N_INPUTS):
        broken = StudyPaths(tmp_path / "studies" / original.folder.name)
        shutil.copytree(original.folder, broken.folder)
        broken.journal.write_bytes(mutated_lines(content, seeded(seed)))
        use(broken)
        shutil.rmtree(broken.folder)


#: The other records, and how often each is tried.
RECORDS = (
    "resolved.json", "space.json", "state.json", "provenance.json", "driver.lock",
    "base_spec.yaml", "study.yaml", "best/provenance.json", "best/train.yaml",
    "trials/0004/1/outcome.json", "trials/0004/1/spec.yaml", "actions/export-1/outcome.json",
)  # fmt: skip
N_OF_RECORD = 6


def whole(folder: Path) -> StudyPaths:
    """A study with every record that there is."""
    paths = filled(folder)
    now = "2026-11-29T10:00:00+00:00"
    write_state(paths, StudyState(paths.folder.name, StudyStatus.FINISHED, now, 8))
    known = read_config(paths)
    study = read_study(paths, known)
    assert study is not None
    winner = best_trial(read_records(study, known.objective), known.objective)
    assert keep_best_current(paths, winner, known.keys) == ""
    write_json(paths.lock, asdict(Owner(1, "elsewhere", 1, now, now)))
    action = paths.actions / "export-1"
    made = ActionRecord("export", False, "process", True, 0, "", Origin("/x.pth", "ab", "ab"))
    action.mkdir(parents=True)
    write_action(action, made)
    return paths


@pytest.mark.parametrize("name", RECORDS)
def test_a_broken_record_is_named_or_read(name: str, tmp_path: Path) -> None:
    original = whole(tmp_path / "original")
    content = (original.folder / name).read_bytes()
    mutate = mutated_bytes if name.endswith("yaml") else mutated_json
    for seed in range(N_OF_RECORD):
        broken = StudyPaths(tmp_path / "studies" / original.folder.name)
        shutil.copytree(original.folder, broken.folder)
        (broken.folder / name).write_bytes(mutate(content, seeded(seed)))
        use(broken)
        list(read_actions(broken.actions))
        for trial in ("best", "baseline", "4"):
            with suppress(AutomlError):
                find_trial(broken, trial)
        shutil.rmtree(broken.folder)
