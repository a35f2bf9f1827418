"""What the actions on a checkpoint say: before they run, and how each ended."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.paths import shown

if TYPE_CHECKING:
    from automl.app.act import ActPlan
    from automl.study.actions import ActionRecord, Origin

__all__ = ["dry_run_text", "record_text", "title_of"]

_LABEL = 10
#: What a success of one action says nothing of.
_PROVES_NOTHING = {
    "gen_trt_engine": (
        "a built engine proves nothing about deploy evaluate or inference: run "
        "automl evaluate --deploy and automl inference --deploy, and read each one's exit code "
        "and log"
    ),
    "export": (
        "a written ONNX file proves nothing about the engine that is built from it: each later "
        "action has an exit code and a log of its own"
    ),
}


def title_of(action: str, *, deploy: bool) -> str:
    """``deploy evaluate``, ``gen-trt-engine``."""
    return f"{'deploy ' if deploy else ''}{action.replace('_', '-')}"


def dry_run_text(plan: "ActPlan", *, whole: bool = False) -> str:
    """The command and the facts of a plan as comments, then its spec: a YAML text.

    Args:
        plan: The plan.
        whole: Whether every key of the spec is shown, not only those that the template has
            otherwise.
    """
    from automl.skill.tree import leaves
    from automl.spec.sources import with_settings
    from automl.yamltext import dump_yaml

    lines = [f"# {title_of(plan.request.action, deploy=plan.request.deploy)}: nothing is started"]
    facts = [("starts from", _origin(plan.parent.origin))]
    if plan.preview.image:
        facts.append(("image", plan.preview.image))
    facts.append(("command", shlex.join(plan.preview.command)))
    facts.append(("results", str(shown(plan.folder))))
    facts.append(("template", plan.spec.source))
    if plan.spec.carried:
        facts.append(("training's", ", ".join(plan.spec.carried)))
    lines += [f"# {label.ljust(_LABEL + 1)} {text}" for label, text in facts]
    lines += [f"# note: {note}" for note in plan.notes]
    if whole:
        return "\n".join([*lines, dump_yaml(plan.spec.tree).rstrip()])
    changed = plan.spec.changed
    n_same = sum(1 for _ in leaves(plan.spec.tree)) - len(changed)
    shown_keys = [dump_yaml(with_settings({}, changed, "spec")).rstrip()] if changed else []
    rest = f"# and {n_same} settings as the template has them; -v and --json show the whole spec"
    return "\n".join([*lines, *shown_keys, rest])


def record_text(record: "ActionRecord", folder: Path) -> str:
    """How an action ended: its own exit code, what it read and made, its log."""
    title = title_of(record.action, deploy=record.deploy)
    code = "none" if record.exit_code is None else str(record.exit_code)
    state = "ok" if record.ok else "FAILED"
    head = f"{title}: {state}, exit code {code}, {_seconds(record.seconds)}, {record.trainer}"
    lines = [head, *(f"  {label.ljust(_LABEL)} {text}" for label, text in _facts(record, folder))]
    if record.ok and record.action in _PROVES_NOTHING:
        lines.append(f"note: {_PROVES_NOTHING[record.action]}")
    return "\n".join(lines)


def _facts(record: "ActionRecord", folder: Path) -> Iterator[tuple[str, str]]:
    if record.evidence:
        yield "why", record.evidence
    yield "from", _origin(record.origin)
    for key, value in record.data.items():
        places = value if isinstance(value, list) else [value]
        yield "data", f"{key} = {', '.join(str(shown(Path(str(each)))) for each in places)}"
    for name, value in record.metrics.items():
        yield "metric", f"{name} {value:.4f}"
    for made in record.made.values():
        yield "made", f"{shown(folder / made.name)}  {made.size / 1e6:.1f} MB"
    yield (
        "results",
        f"{shown(folder)}  {record.n_files} {'file' if record.n_files == 1 else 'files'}",
    )
    yield "log", str(shown(folder / "log.txt"))


def _origin(origin: "Origin") -> str:
    trial = "" if origin.trial is None else f"trial {origin.trial}, "
    said = f" ({trial}{origin.said})" if origin.said else ""
    return f"{shown(Path(origin.path))}{said}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"
