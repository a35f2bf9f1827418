"""A plan as text and as JSON."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automl.app.disk_estimate import estimate_disk
from automl.app.forewarning import forewarnings, only_parameter
from automl.app.plan import Plan
from automl.app.preview import first_params
from automl.app.time_estimate import estimate_time
from automl.app.trainer_choice import container_preview
from automl.reports import words
from automl.reports.hanging import hung
from automl.reports.verdict import FAKE
from automl.skill.tree import ParamValue, whole_number
from automl.space.show import show_space
from automl.study.config import SearchSettings, StudyConfig
from automl.study.confirmation import most_of_race, n_planned
from automl.study.records import FailureClass
from automl.trainers.table import trainer_entry
from automl.visible import visible

__all__ = ["plan_json", "plan_text"]

_LABEL = 10
#: Where the reason of a bound begins.
_REASON = 13
_COLUMNS = 6
_UNKNOWN = "unknown: nothing like it has trained here yet; automl doctor --deep times one epoch"


def plan_text(plan: Plan, first: int, width: int = sys.maxsize) -> str:
    """What a run will do, for a reader.

    Args:
        plan: The plan.
        first: How many specs to show, trial 0 included.
        width: Columns of the terminal; tables and commands take what they need.
    """
    lines = [*hung([*_head(plan), *_data(plan), *_trials(plan)], width, _LABEL)]
    if plan.gate.searches:
        lines += ["", *hung(show_space(plan.space).splitlines(), width, _REASON), ""]
        lines += _first(plan, first)
    container = container_preview(plan.config, plan.skill, plan.base_spec, plan.studies_dir)
    if container:
        lines += ["", "container of trial 0, as a command", container]
    notes = [note for note in plan.notes if note != plan.gate.message]
    lines += hung([f"note: {visible(note, keep='')}" for note in notes], width, len("note: "))
    return "\n".join(lines)


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}"


def _head(plan: Plan) -> Iterator[str]:
    config = plan.config
    if config.is_fake:
        yield FAKE
    yield _line("study", f"{config.name}, to be made in {plan.studies_dir}")
    only = only_parameter(plan)
    if only:
        yield _line("search", only)
    yield _line("policy", f"{config.policy} (from {config.policy_source})")
    yield _line("", plan.gate.message)
    yield _line("skill", f"{plan.skill.name} in {plan.skill.folder}")
    objective = config.objective
    text = f"{objective.direction} {objective.metric}, read from {config.metrics.words}"
    yield _line("objective", text)
    yield _line("trainer", f"{config.trainer}, spec from {plan.base.source}")
    remark = trainer_entry(config.trainer).remark(config.trainer_options)
    if remark:
        yield _line("", remark)


def _data(plan: Plan) -> Iterator[str]:
    for split, facts in plan.data.items():
        objects = f", {facts.objects} objects" if facts.categories else ""
        text = f"{facts.images} images{objects}, {facts.root}"
        yield _line("data" if split == "train" else "", f"{split:<5} {text}")


def _trials(plan: Plan) -> Iterator[str]:
    config, resources = plan.config, plan.config.resources
    holds = words.count(resources.gpus_per_trial, "GPU") if resources.gpus_per_trial else "no GPU"
    if resources.trials_per_gpu > 1:
        holds = f"1/{resources.trials_per_gpu} of a GPU"
    threads = words.count(resources.threads_per_trial, "CPU thread")
    text = f"{words.count(config.limits.trials, 'trial')}, {resources.max_concurrent} at a time"
    yield _line("trials", f"{text}, each with {holds} and {threads}")
    yield from _cluster(plan)
    if plan.gate.searches and config.origin.get("max_concurrent") == "default":
        room = "as many as the GPUs hold" if resources.gpus_per_trial else "one for each CPU"
        if plan.cluster is not None:
            room = "as many as the cluster has room for, also when that changes"
        yield _line("", f"at a time: {room} (the default of --max-concurrent)")
    if plan.gate.searches:
        yield _line("sampler", f"{config.search.sampler}, seed {config.search.seed}")
        yield from _rungs(config.search)
    if config.limits.confirms:
        yield from _confirming(config)
    if plan.gate.searches:
        yield from _failing(config)
    limit = config.limits.trial_timeout_s
    yield _line("limit", f"{words.duration(limit)} a trial" if limit else "no time limit a trial")
    epochs = whole_number(plan.base_spec, config.keys.epochs)
    images = plan.data["train"].images if "train" in plan.data else None
    if epochs is not None and images:
        most = epochs * images * (config.limits.trials + n_planned(config))
        text = f"{epochs} epochs of {images} images a trial, {most:,} images in all"
        yield _line("work", f"at most {text}" if config.search.rungs else text)
        yield from _costs(plan)


def _costs(plan: Plan) -> Iterator[str]:
    """Time, GPU hours and space, and by what they are known."""
    time, disk = estimate_time(plan), estimate_disk(plan)
    first, *others = [_UNKNOWN] if time is None else time.lines()
    yield _line("time", first)
    yield from (_line("", other) for other in others)
    yield from (_line("", text) for text in forewarnings(plan, time))
    if disk is not None:
        yield _line("disk", str(disk))


def _cluster(plan: Plan) -> Iterator[str]:
    if plan.cluster is not None:
        yield _line("cluster", str(plan.cluster))
        for node in plan.cluster.nodes:
            yield _line("", f"node {node}")


def _rungs(search: SearchSettings) -> Iterator[str]:
    if search.rungs:
        at = ", ".join(map(str, search.rungs))
        epochs = "epoch" if len(search.rungs) == 1 else "epochs"
        text = f"after {epochs} {at} of {search.n_epochs} trials pause, and the better ones go on"
        yield _line("rungs", f"{text} ({search.fidelity})")


def _confirming(config: StudyConfig) -> Iterator[str]:
    limits = config.limits
    n_race = most_of_race(config)
    if n_race:
        race = f"the best {limits.confirm_top} race for it with fresh seeds"
        yield _line("then", f"{race}, at most {words.count(n_race, 'training')}")
    seeds = words.count(limits.most_seeds, "fresh seed")
    until = "until it is clear which is better, at most " if limits.is_auto else ""
    pair = f"winner and default (trial 0) again, {until}with {seeds} each"
    yield _line("" if n_race else "then", pair)


def _failing(config: StudyConfig) -> Iterator[str]:
    """What becomes of a trial that fails, by class, and what ends the search."""
    limits = config.limits
    yield _line("failures", f"count as the worst value, not proposed again: {_classes(True)}")
    yield _line("", f"say nothing of the settings: {_classes(False)}")
    yield _line("", "cut short by a stop or a lost machine: goes on from its checkpoint by itself")
    yield _line("", "automl resume --retry-failed [CLASS] trains failed ones again")
    share = f"{limits.failed_share:.0%} of six or more"
    yield _line(
        "", f"the search stops at {limits.same_failures} of one class in a row, or {share}"
    )


def _classes(are_configs_fault: bool) -> str:
    return ", ".join(c for c in FailureClass if c.is_configs_fault is are_configs_fault)


def _first(plan: Plan, count: int) -> Iterator[str]:
    shown = first_params(plan.space, plan.config, count)
    yield f"first {words.count(len(shown), 'spec')}, as changes to the base spec; 0 is the default"
    keys = dict.fromkeys(key for params in shown for key in params)
    for start in range(0, len(shown), _COLUMNS):
        rows = [["trial", *(str(number) for number in range(start, len(shown)))]]
        rows += [[key, *(_cell(params, key) for params in shown[start:])] for key in keys]
        yield from _aligned([row[: _COLUMNS + 1] for row in rows])


def _cell(params: Mapping[str, ParamValue], key: str) -> str:
    return words.param(params[key]) if key in params else "-"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def plan_json(plan: Plan, first: int) -> Mapping[str, Any]:
    """The plan as a plain value of a stable shape."""
    specs: Sequence[Mapping[str, ParamValue]] = ()
    if plan.gate.searches:
        specs = first_params(plan.space, plan.config, first)
    return {
        "schema": "automl.plan/1",
        "policy": {"value": plan.config.policy, "source": plan.config.policy_source},
        "searches": plan.gate.searches,
        "message": plan.gate.message,
        "config": plan.config.to_json(),
        "space": plan.space.to_json(),
        "base_spec": plan.base_spec,
        "first_params": [dict(params) for params in specs],
        "data": {
            split: {"folder": str(facts.root), "images": facts.images, "objects": facts.objects}
            for split, facts in plan.data.items()
        },
        "time": estimate.to_json() if (estimate := estimate_time(plan)) is not None else None,
        "disk": disk.to_json() if (disk := estimate_disk(plan)) is not None else None,
        "failures": {
            str(each): "worst value" if each.is_configs_fault else "not counted"
            for each in FailureClass
        },
        "container": container_preview(plan.config, plan.skill, plan.base_spec, plan.studies_dir),
        "cluster": None if plan.cluster is None else plan.cluster.to_json(),
        "notes": list(plan.notes),
    }
