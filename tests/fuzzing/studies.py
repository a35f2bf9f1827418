"""Journals and the other records of a study, damaged, with everything that reads them."""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from automl.app.clean import find_leftovers
from automl.app.listings import listings_of
from automl.app.trial_choice import find_trial
from automl.app.winner import keep_best_current
from automl.cli.main import main
from automl.errors import AutomlError
from automl.files import write_json
from automl.reports.glancing import glance_of
from automl.reports.markdown import render_markdown
from automl.reports.status import status_text
from automl.reports.summary import read_summary
from automl.reports.text import best_text
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
from tests.fuzzing.kind import Kind
from tests.mutations import mutated_bytes, mutated_json, mutated_lines, seeded
from tests.unit.reports.study_builder import StudyBuilder, config, fill

__all__ = ["JOURNALS", "RECORDS", "RECORD_FILES"]

_GOLDEN = Path(__file__).parents[1] / "golden" / "study" / "format_1.journal"
_SEEDS = st.integers(0, 2**40)

#: Every record that a study has beside its journal.
RECORD_FILES = (
    "resolved.json", "space.json", "state.json", "provenance.json", "driver.lock",
    "base_spec.yaml", "study.yaml", "best/provenance.json", "best/train.yaml",
    "trials/0004/1/outcome.json", "trials/0006/1/outcome.json", "trials/0006/2/outcome.json",
    "trials/0002/1/outcome.json", "trials/0004/1/spec.yaml", "trials/0004/1/status.json",
    "trials/0004/1/container.json", "trials/0004/1/trainer.pid", "trials/0004/1/server.pid",
    "trials/0002/1/log.txt", "actions/export-1/outcome.json", "actions/export-1/spec.yaml",
    "report/report.json", "driver.log",
)  # fmt: skip


def _filled(folder: Path) -> StudyPaths:
    builder = StudyBuilder(folder)
    fill(builder)
    return builder.paths


def _replayed(folder: Path) -> StudyPaths:
    """A study whose journal holds every operation that a driver writes."""
    paths = StudyBuilder(folder, config("golden")).paths
    shutil.copy(_GOLDEN, paths.journal)
    return paths


def _whole(folder: Path) -> StudyPaths:
    """A study with every record that there is."""
    paths = _filled(folder)
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
    for name, text in _TEXTS.items():
        (paths.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (paths.folder / name).write_text(text)
    paths.report.mkdir()
    (paths.report / "report.json").write_bytes(render_json(read_summary(paths.folder)))
    return paths


_STATUS = """\
{"status": "RUNNING", "message": "Eval metrics generated.", "kpi": {"val_3DIoU": "0.5"}}
{"epoch": 1, "max_epoch": 4, "status": "RUNNING", "message": "Training loop in progress"}
"""
_TEXTS = {
    "trials/0004/1/status.json": _STATUS,
    "trials/0004/1/container.json": '{"id": "ab", "name": "automl-x", "image": "i", "mounts": {}}',
    "trials/0004/1/trainer.pid": '{"pid": 999999, "started": 1}',
    "trials/0004/1/server.pid": '{"pid": 999999, "started": 1}',
    "trials/0002/1/log.txt": "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n",
    "actions/export-1/spec.yaml": "export:\n  onnx_file: /x.onnx\n",
    "driver.log": "trial 4 started\n",
}


@cache
def _original(make: Callable[[Path], StudyPaths]) -> StudyPaths:
    """A study as it should be, made once a process."""
    return make(Path(tempfile.mkdtemp(prefix="automl-fuzz-")))


@contextmanager
def _copied(make: Callable[[Path], StudyPaths], folder: Path) -> Iterator[StudyPaths]:
    original = _original(make)
    copied = StudyPaths(folder / "studies" / original.folder.name)
    shutil.copytree(original.folder, copied.folder)
    try:
        yield copied
    finally:
        shutil.rmtree(folder / "studies")


def _read(paths: StudyPaths) -> None:
    """What ``status``, ``best`` and ``report`` do."""
    summary = read_summary(paths.folder)
    state, now = read_state(paths), datetime.now(UTC)
    status_text(glance_of(summary, state, now), summary.folder, state, now)
    best_text(summary)
    render_json(summary)
    render_markdown(summary)


def _go_on(paths: StudyPaths) -> None:
    """What ``resume`` does before it starts anything."""
    known = read_config(paths)
    read_study(paths, known)
    study = open_study(open_storage(paths), known.name, known.objective)
    engine = Engine(study, SearchSpace.from_json(read_space(paths)), known)
    engine.recover(paths, lambda _: (), lambda _, __: None)
    keep_best_current(paths, engine.incumbent(), known.keys)
    engine.ask()


def _look_over(paths: StudyPaths) -> None:
    """What goes on over a study that cannot be read."""
    studies = paths.folder.parent
    assert len(listings_of(studies)) == len(list_studies(studies))
    find_leftovers(list_studies(studies), studies, None)
    list(read_actions(paths.actions))


_COMMANDS = (
    ("status",),
    ("best", "--json"),
    ("explain", "4"),
    ("explain", "oom"),
    ("evaluate", "--dry-run"),
    ("export", "--study", "bike-fan", "--dry-run"),
    ("retrain", "--dry-run", "--epochs", "20"),
    ("reproduce", "4", "--dry-run"),
    ("resume",),
    ("confirm",),
    ("clean", "--yes", "--study", "bike-fan"),
    ("stop",),
    ("report", "--format", "json"),
)


def _say(command: Sequence[str], studies: Path) -> None:
    """A command ends with a code of its own; 1 is the one of a fault."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = _code_of([*command, "--studies-dir", str(studies)])
    assert code != 1, said.getvalue()[-600:]
    assert "Traceback" not in said.getvalue()


def _code_of(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as error:
        return int(error.code or 0)


def _use(paths: StudyPaths) -> None:
    """Everything that reads a study; the last refusal is the answer."""
    refused: AutomlError | None = None
    for read in (_read, _go_on, _look_over):
        try:
            read(paths)
        except AutomlError as error:
            refused = error
    for trial in ("best", "baseline", "4"):
        with suppress(AutomlError):
            find_trial(paths, trial)
    if refused is not None:
        raise refused


def _read_journal(value: tuple[bool, int], folder: Path) -> None:
    is_filled, seed = value
    make = _filled if is_filled else _replayed
    content = _original(make).journal.read_bytes()
    with _copied(make, folder) as paths:
        paths.journal.write_bytes(mutated_lines(content, seeded(seed)))
        _use(paths)


def _read_record(value: tuple[str, int, Sequence[str]], folder: Path) -> None:
    name, seed, command = value
    content = (_original(_whole).folder / name).read_bytes()
    mutate = mutated_json if name.endswith(("json", "lock", "pid")) else mutated_bytes
    with _copied(_whole, folder) as paths:
        (paths.folder / name).write_bytes(mutate(content, seeded(seed)))
        _say(command, paths.folder.parent)
        _use(paths)


JOURNALS = Kind(st.tuples(st.booleans(), _SEEDS), _read_journal)
_RECORD: Any = st.tuples(st.sampled_from(RECORD_FILES), _SEEDS, st.sampled_from(_COMMANDS))
RECORDS = Kind(_RECORD, _read_record)
