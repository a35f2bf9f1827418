"""Another method on trainings that have taken place: what it would have cost, and found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from automl.app.fidelity import rungs_of
from automl.app.replay_source import Done, ReplaySource
from automl.search.recorded import RecordedCurves
from automl.search.simulate import Costs, simulate
from automl.search.simulation import Simulation
from automl.study.config import Objective, StudyConfig

__all__ = ["Replay", "ReplayAsked", "Replayed", "replay"]

SCHEMA = "automl.replay/1"


@dataclass(frozen=True, slots=True)
class ReplayAsked:
    """What is to be simulated; None stands for what the study did.

    Attributes:
        sampler: Who proposes.
        fidelity: How far trials are trained.
        pruner: Who stops a trial early.
        trials: Configurations in total.
        places: Trials that run at the same time.
        seeds: Simulations, each with another seed.
        resume_s: Seconds that a trial takes to go on from a checkpoint.
    """

    sampler: str | None = None
    fidelity: str | None = None
    pruner: str | None = None
    trials: int | None = None
    places: int | None = None
    seeds: int = 5
    resume_s: float | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One simulation.

    Attributes:
        seed: Of its sampler.
        n_trials: Configurations that it tried.
        trainings: What it cost, in full trainings.
        seconds: Seconds that places were held.
        wall_s: Seconds from its beginning to its end.
        best: What the settings that it found reach, on average over their recordings; None where
            no trial ended well.
        level_at: Full trainings after which it was as good as what was done; None if it never was.
        distance: How far the settings that answered were from those asked for, root mean square
            over settings, as a share of their ranges; the mean over its trials.
        events: How often each thing happened to a trial: ``pauses``, ``stops``, ...
        end: Why it ended.
    """

    seed: int
    n_trials: int
    trainings: float
    seconds: float
    wall_s: float
    best: float | None
    level_at: float | None
    distance: float
    events: dict[str, int]
    end: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Simulations of one method on one source.

    Attributes:
        source: What answered.
        config: What was simulated; the seed is that of the first simulation.
        runs: One a seed.
        notes: What a reader should know, in sentences.
    """

    source: ReplaySource
    config: StudyConfig
    runs: tuple[Replayed, ...]
    notes: tuple[str, ...]

    @property
    def done(self) -> Done:
        """What was trained when the curves were recorded."""
        return self.source.done

    @property
    def objective(self) -> Objective:
        """The metric, and which way is better."""
        return self.config.objective

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        search = self.config.search
        return {
            "schema": SCHEMA,
            "source": self.source.name,
            "objective": self.objective.metric,
            "direction": str(self.objective.direction),
            "n_recordings": len(self.source.recordings),
            "n_left_out": self.source.left_out,
            "n_epochs": self.source.n_epochs,
            "asked": {
                "sampler": search.sampler,
                "fidelity": search.fidelity,
                "pruner": search.pruner,
                "rungs": list(search.rungs),
                "trials": self.config.limits.trials,
                "places": self.config.resources.max_concurrent,
            },
            "done": asdict(self.done),
            "runs": [asdict(run) for run in self.runs],
            "notes": list(self.notes),
        }


def replay(source: ReplaySource, asked: ReplayAsked) -> Replay:
    """Simulates a method on recorded trainings, once a seed.

    Raises:
        FixInput: Sampler, fidelity or pruner is unknown, or the trainings are too short for
            rungs that were asked for by name.
    """
    config = _config(source, asked)
    resume_s = source.start_s if asked.resume_s is None else asked.resume_s
    costs = Costs(source.start_s, resume_s)
    seeds = range(config.search.seed, config.search.seed + asked.seeds)
    runs = tuple(_run(source, config, costs, seed) for seed in seeds)
    return Replay(source, config, runs, _notes(source, runs))


def _config(source: ReplaySource, asked: ReplayAsked) -> StudyConfig:
    """The study's own configuration with what is asked for in its place."""
    config = source.config
    search = replace(
        config.search,
        sampler=asked.sampler or config.search.sampler,
        pruner=asked.pruner or config.search.pruner,
        n_epochs=source.n_epochs,
    )
    fidelity = asked.fidelity or config.search.fidelity
    search = rungs_of(replace(search, fidelity=fidelity), source.interval)
    limits = replace(
        config.limits, trials=asked.trials or config.limits.trials, same_failures=0, confirm=0
    )
    places = asked.places or config.resources.max_concurrent
    resources = replace(config.resources, max_concurrent=places)
    return replace(config, search=search, limits=limits, resources=resources)


def _run(source: ReplaySource, config: StudyConfig, costs: Costs, seed: int) -> Replayed:
    curves = RecordedCurves(source.space, source.recordings, seed)
    seeded = replace(config, search=replace(config.search, seed=seed))
    objective = config.objective
    done = simulate(source.space, seeded, curves, costs)
    answers = _answers(done, curves, objective)
    distances = [curves.nearest(trial.record.params)[1] for trial in done.trials]
    return Replayed(
        seed,
        len(done.trials),
        done.trainings,
        sum(trial.seconds for trial in done.trials),
        done.seconds,
        answers[-1][1] if answers else None,
        next((at for at, value in answers if _is_level(value, source.done.best, objective)), None),
        fmean(distances) if distances else 0.0,
        dict(Counter(event.what for event in done.events)),
        "" if done.end is None else done.end.reason,
    )


def _answers(
    done: Simulation, curves: RecordedCurves, objective: Objective
) -> list[tuple[float, float]]:
    """After how many full trainings it would have answered with what value."""
    found = (
        (each.trainings, curves.expected(done.params_of(each.number), objective))
        for each in done.incumbents
    )
    return [(at, value) for at, value in found if value is not None]


def _is_level(value: float, best: float | None, objective: Objective) -> bool:
    return best is None or objective.loss(value) <= objective.loss(best)


def _notes(source: ReplaySource, runs: Sequence[Replayed]) -> tuple[str, ...]:
    share = fmean(run.distance for run in runs)
    notes = [
        "a simulation, no training: settings are answered by the nearest recorded ones, "
        f"on average {share:.2f} of a range away"
    ]
    if source.left_out:
        left = source.left_out
        what = "1 trial was" if left == 1 else f"{left} trials were"
        notes.append(f"{what} stopped early or failed by accident, and could not answer")
    if source.config.is_fake:
        notes.append("a script made the numbers of this study up")
    return tuple(notes)
