"""A study folder, read into a ``Summary``: the one source of every report and of the terminal.

It reads, never writes, takes no lock and needs no driver, so it works beside a running study and
on one that crashed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.reports.commands import commands_for
from automl.reports.derive import (
    cost_of,
    count_states,
    edge_hints,
    group_failures,
    incumbents_of,
    winner_of,
)
from automl.reports.early_ends import early_ends_of
from automl.reports.findings import Cost, EdgeHint, Winner
from automl.reports.model import Summary, TrialReport
from automl.reports.poses.evaluations import read_evaluations
from automl.reports.poses.held_out import held_out_of
from automl.reports.sources import Sources
from automl.space.model import SearchSpace
from automl.study.clock import Clock, utc_now
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from automl.study.state import StudyState, StudyStatus, read_state
from automl.study.storage import read_study
from automl.study.trials import by_number, n_refused, read_records, refused_params

if TYPE_CHECKING:
    import optuna

__all__ = ["read_summary", "summarise"]


def read_summary(folder: Path, clock: Clock = utc_now) -> Summary:
    """Everything a report shows about the study in ``folder``.

    Works on a study that is running, was interrupted, has no trial yet, has none that succeeded,
    or is one direct training. Files that cannot be read are named in ``notes``.

    Args:
        folder: The study folder; the report shows it, and paths built on it, as given.
        clock: The time of day, for telling a driver that runs from one that died.

    Raises:
        FixInput: The folder holds no readable study configuration, or its storage is broken.
    """
    paths = StudyPaths(folder)
    config = read_config(paths)
    sources = Sources(paths)
    study = read_study(paths, config)
    trials = _trials(config, sources, study)
    now = clock() if _is_driven(paths, clock) else None
    summary = replace(
        summarise(sources, config, trials, read_state(paths), now),
        n_refused=0 if study is None else n_refused(study),
        refused=() if study is None else refused_params(study),
    )
    winner = _with_paths(summary.winner, paths, sources)
    summary = _with_evaluations(replace(summary, winner=winner), paths, sources)
    summary = replace(summary, notes=(*sources.notes, *summary.notes))
    return replace(summary, commands=commands_for(summary))


def summarise(
    sources: Sources,
    config: StudyConfig,
    trials: tuple[TrialReport, ...],
    state: StudyState | None,
    now: datetime | None,
) -> Summary:
    """What follows from the trials and the small files of a study, its evaluations left out.

    Args:
        sources: The study's files.
        config: What was asked.
        trials: Every trial, by number.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day where a driver is alive; None where none is.
    """
    summary = _summarise(sources.paths.folder, config, sources.space(), trials)
    return replace(
        summary,
        status=_status(config, trials, state, is_driven=now is not None),
        stop_reason="" if state is None else state.reason,
        provenance=sources.provenance(),
        cost=_cost(trials, state, now),
        notes=tuple(_refused_nodes(state)),
    )


def _refused_nodes(state: StudyState | None) -> list[str]:
    """What kept trials from nodes of the cluster, a sentence each."""
    return [] if state is None else [f"node {node}" for node in state.nodes if node.refused]


def _summarise(
    folder: Path, config: StudyConfig, space: SearchSpace, trials: tuple[TrialReport, ...]
) -> Summary:
    """What follows from the trials alone; the study counts as running."""
    winner = winner_of(trials, space, config)
    return Summary(
        folder=folder,
        config=config,
        space=space,
        status=StudyStatus.RUNNING,
        trials=trials,
        counts=count_states(trials),
        winner=winner,
        incumbents=incumbents_of(trials, config.objective),
        failures=group_failures(trials),
        cost=cost_of(trials),
        edges=_edges(winner, trials, space),
        early_ends=early_ends_of(trials, config.search, config.objective),
    )


def _with_evaluations(summary: Summary, paths: StudyPaths, sources: Sources) -> Summary:
    """The summary with what evaluations of the study's checkpoints say."""
    outcomes = {trial.number: trial.attempts for trial in summary.trials}
    found = read_evaluations(paths, summary.config, outcomes, summary.provenance)
    if summary.winner is None or summary.is_fake:
        return replace(summary, evaluations=found)
    metric = summary.objective.metric
    held = held_out_of(paths.folder, found, summary.winner.number, metric, sources.notes)
    return replace(summary, evaluations=found, held_out=held)


def _cost(trials: tuple[TrialReport, ...], state: StudyState | None, now: datetime | None) -> Cost:
    """What the study took; a driver that is alive has run on since it last wrote its time."""
    cost = cost_of(trials)
    if state is None or not state.wall_s:
        return cost
    since = state.age_s(now) if now is not None and state.status is StudyStatus.RUNNING else 0.0
    return replace(cost, wall_s=state.wall_s + since)


def _trials(
    config: StudyConfig, sources: Sources, study: "optuna.Study | None"
) -> tuple[TrialReport, ...]:
    if study is None:
        sources.notes.append("the study has no storage yet: no trial was ever asked for")
        return ()
    seed = sources.spec_seed(config.keys.seed)
    records = read_records(study, config.objective)
    stored = by_number(study.get_trials(deepcopy=False))
    return tuple(sources.trial(each, config, seed, stored[each.number][-1]) for each in records)


def _is_driven(paths: StudyPaths, clock: Clock) -> bool:
    owner = read_owner(paths)
    return owner is not None and owner.is_alive(clock())


def _status(
    config: StudyConfig,
    trials: tuple[TrialReport, ...],
    state: StudyState | None,
    *,
    is_driven: bool,
) -> StudyStatus:
    """The status the driver wrote, unless it died before it could write its last one."""
    if state is not None and state.status is not StudyStatus.RUNNING:
        return state.status
    if is_driven:
        return StudyStatus.RUNNING
    asked = n_asked([trial.record for trial in trials], config)
    ended = sum(trial.record.state.is_finished for trial in trials)
    return StudyStatus.FINISHED if ended >= asked else StudyStatus.INTERRUPTED


def _edges(
    winner: Winner | None, trials: tuple[TrialReport, ...], space: SearchSpace
) -> tuple[EdgeHint, ...]:
    if winner is None:
        return ()
    best = next(trial for trial in trials if trial.number == winner.number)
    return edge_hints(best.record.params, space)


def _with_paths(winner: Winner | None, paths: StudyPaths, sources: Sources) -> Winner | None:
    """The winner with the files to use: those of ``best/`` once it holds this trial."""
    if winner is None:
        return None
    attempts = [attempt for _, attempt in paths.attempts(winner.number)]
    specs = [attempt.spec for attempt in attempts if attempt.spec.is_file()]
    own = replace(
        winner,
        spec=paths.relative(specs[-1]) if specs else "",
        checkpoint=winner.checkpoint if (paths.folder / winner.checkpoint).is_file() else "",
    )
    best = sources.best()
    return own if best.get("trial") != winner.number else _in_best(own, paths, best)


def _in_best(winner: Winner, paths: StudyPaths, best: Mapping[str, Any]) -> Winner:
    checkpoint = paths.best / str(best.get("checkpoint") or "")
    if checkpoint.is_file():
        digest = str(best.get("checkpoint_sha256") or "")
        winner = replace(winner, checkpoint=paths.relative(checkpoint), checkpoint_sha256=digest)
    if paths.best_spec.is_file():
        winner = replace(winner, spec=paths.relative(paths.best_spec))
    return winner
