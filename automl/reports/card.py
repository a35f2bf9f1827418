"""A model card of a study's winner, under the headings that Hugging Face's cards have.

The headings are those of ``huggingface_hub``'s model-card template. What a study does not know is
left out or said; nothing is claimed that its files do not hold.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from automl.reports import words
from automl.reports.model import Summary
from automl.reports.parity import parity_lines
from automl.reports.poses.held_out import interval, signed_interval
from automl.reports.poses.page import PosePart, Scores
from automl.reports.verdict import verdict

__all__ = ["card_text"]

_SPLITS = (("train", "training"), ("val", "validation"), ("test", "held-out test"))


def card_text(summary: Summary, poses: PosePart | None) -> str:
    """The card, in Markdown.

    Args:
        summary: The study.
        poses: What its winner's poses say; None where there are none.
    """
    parts = (
        _front_matter(summary),
        [f"# Model card: {summary.name}", "", *_outcome(summary)],
        ["## Model details", "", *_details(summary)],
        ["## Uses", "", *_uses(summary)],
        ["## Bias, risks, and limitations", "", *_limits(summary, poses)],
        ["## Training details", "", "### Training data", "", *_data(summary)],
        ["### Training procedure", "", *_procedure(summary)],
        ["## Evaluation", "", *_evaluation(summary, poses)],
        ["## Environmental impact", "", *_cost(summary)],
        ["## Technical specifications", "", *_machine(summary)],
        ["## How to reproduce", "", *_again(summary)],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _front_matter(summary: Summary) -> list[str]:
    """The card's metadata; every text quoted as JSON, which YAML reads as well."""
    lines = ["---", "pipeline_tag: object-detection", "tags:"]
    lines += [f"- {tag}" for tag in ("6d-pose-estimation", "centerpose", "automl")]
    if summary.winner is not None:
        value = summary.winner.value if summary.winner.mean is None else summary.winner.mean
        lines += [
            "model-index:",
            f"- name: {json.dumps(summary.name)}",
            "  results:",
            "  - task: {type: object-detection}",
            "    dataset: {type: custom, name: validation split}",
            f"    metrics: [{{type: {json.dumps(summary.objective.metric)}, value: {value:.6g}}}]",
        ]
    return [*lines, "---"]


def _outcome(summary: Summary) -> list[str]:
    lines = list(verdict(summary))
    if summary.is_fake:
        lines.insert(0, "**A script made these numbers up: nothing was trained.**")
    return lines


def _details(summary: Summary) -> list[str]:
    winner, files = summary.winner, summary.provenance.get("files")
    rows = {
        "model": "CenterPose: 9 keypoints of each object from one RGB image, pose by PnP",
        "network": _setting(summary, "model_type"),
        "category": _setting(summary, "category"),
        "checkpoint": f"`{winner.checkpoint}`" if winner and winner.checkpoint else "",
        "SHA-256": "" if winner is None else winner.checkpoint_sha256,
        "trial": "" if winner is None else f"{winner.number}, epoch {winner.epoch} (from 0)",
        "started from": summary.config.parent_checkpoint or "",
        "skill": summary.config.skill_dir.rpartition("/")[2],
    }
    if isinstance(files, Mapping):
        for name, facts in files.items():
            digest = facts.get("sha256") if isinstance(facts, Mapping) else None
            rows[str(name)] = f"SHA-256 {digest}" if digest else ""
    return _bullets(rows)


def _setting(summary: Summary, name: str) -> str:
    """A setting of the winner by the end of its key: searched, or set for the whole study."""
    trial = None if summary.winner is None else summary.trial(summary.winner.number)
    params = {} if trial is None else trial.record.params
    given = {**summary.config.overrides, **params}
    values = (value for key, value in given.items() if key.rpartition(".")[2] == name)
    value = next(values, None)
    return "" if value is None else words.param(value)


def _uses(summary: Summary) -> list[str]:
    category = _setting(summary, "category") or "the category it was trained on"
    return [
        f"**Direct use.** 6-DoF pose and size of objects ({category}) in RGB images whose camera "
        "intrinsics are known.",
        "",
        "**Out of scope.** Other categories; cameras, distances, lighting and backgrounds that "
        "the training images do not show; any use where a wrong pose endangers somebody and "
        "nothing else checks it.",
    ]


def _limits(summary: Summary, poses: PosePart | None) -> list[str]:
    winner = summary.winner
    lines = []
    if winner is not None and winner.confirmed is None and summary.is_search:
        lines.append("The value was measured with one seed; another seed gives another value.")
    if winner is not None and winner.confirmed is not None:
        lines += [f"{line[0].upper()}{line[1:]}." for line in winner.confirmed.details]
    if summary.held_out is None:
        lines.append(
            "No held-out value: the winner was chosen on the validation images that it is "
            "reported on, which flatters it."
        )
    elif summary.held_out.gap is not None:
        lines.append(f"Test minus validation: {signed_interval(summary.held_out.gap)}.")
    if poses is not None and poses.missing:
        lines.append(f"Poses: {poses.missing}.")
    if summary.n_validation is not None:
        lines.append(f"Values rest on {words.count(summary.n_validation, 'validation image')}.")
    worst = () if poses is None else poses.worst[:3]
    lines += [f"Among its worst validation poses: {bad.error} ({bad.around})." for bad in worst]
    lines = list(dict.fromkeys(lines))
    return [f"- {line}" for line in lines] or ["- Nothing has been trained yet."]


def _data(summary: Summary) -> list[str]:
    data = summary.provenance.get("data")
    facts: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    rows = [["split", "images", "objects", "classes", "hash or source"]]
    for split, said in _SPLITS:
        each = facts.get(split)
        if isinstance(each, Mapping):
            classes = each.get("categories")
            named = ", ".join(classes) if isinstance(classes, Mapping) else ""
            source = next((each[n] for n in ("sha256", "digest", "from") if each.get(n)), "-")
            numbers = [str(each.get(name, "-")) for name in ("images", "objects")]
            rows.append([said, *numbers, named or "-", str(source)])
    return _table(rows) if len(rows) > 1 else ["What the data held was not recorded."]


def _procedure(summary: Summary) -> list[str]:
    winner, search = summary.winner, summary.config.search
    searched = set(summary.param_keys)
    fixed = {f"`{k}`": words.param(v) for k, v in summary.config.overrides.items()
             if k not in searched}  # fmt: skip
    how = (
        f"Searched: {words.count(summary.n_searched, 'trial')} over "
        f"{words.count(len(searched), 'setting')}, sampler `{search.sampler}`, seed {search.seed}."
        if summary.is_search
        else "One direct training."
    )
    lines = [how, ""]
    trial = None if winner is None else summary.trial(winner.number)
    if trial is not None:
        base = {} if summary.baseline is None else summary.baseline.record.params
        rows = [["searched setting", "this model", "default"]]
        rows += [
            [f"`{key}`", words.param(value), words.param(base[key]) if key in base else "-"]
            for key, value in trial.record.params.items()
        ]
        lines += [*_table(rows), ""] if len(rows) > 1 else []
    lines += ["Set for every trial:", "", *_bullets(fixed)] if fixed else []
    spec = "" if winner is None or not winner.spec else f"The complete spec is `{winner.spec}`."
    return [*lines, *(["", spec] if spec else [])]


def _evaluation(summary: Summary, poses: PosePart | None) -> list[str]:
    metric, winner = summary.objective.metric, summary.winner
    if winner is None:
        return ["No trial has ended with a value."]
    rows = [["what", "this model", "default settings", "difference"]]
    rows.append(["one seed, best epoch", words.value(winner.value), words.value(winner.baseline),
                 words.signed(winner.difference)])  # fmt: skip
    told = winner.confirmed
    if told is not None:
        ends = ""
        if told.low is not None and told.high is not None:
            ends = f" [{words.signed(told.low)}, {words.signed(told.high)}]"
        rows.append(["mean ± sd of fresh seeds", str(told.winner), str(told.default or "-"),
                     f"{words.signed(told.difference)}{ends}"])  # fmt: skip
    if winner.weighed is not None:
        expected = f"{words.value(winner.weighed.value)} ± {words.value(winner.weighed.sd)}"
        rows.append(["expected of another seed", expected, "-", words.signed(winner.weighed.gain)])
    held = summary.held_out
    if held is not None:
        rows.append([
            "held-out test images", interval(held.winner),
            "-" if held.default is None else interval(held.default),
            "-" if held.difference is None else signed_interval(held.difference),
        ])  # fmt: skip
    lines = [f"`{metric}`, intervals in brackets are 95 %.", "", *_table(rows)]
    for scores in () if poses is None else poses.scores:
        lines += ["", *_scores(scores)]
    exported = [f"- {text[0].upper()}{text[1:]}" for text in parity_lines(summary.folder)]
    return [*lines, "", "Exported:", "", *exported] if exported else lines


def _scores(scores: Scores) -> Iterator[str]:
    head = f"Poses on {scores.n_images} {scores.split} images, {scores.n_objects} objects"
    rows = [["metric", "this model", "default settings", "difference"]]
    rows += [
        [
            row.title,
            interval(row.winner),
            "-" if row.default is None else interval(row.default),
            "-" if row.difference is None else signed_interval(row.difference),
        ]
        for row in scores.rows
    ]
    yield from (f"{head}, bootstrap over images:", "", *_table(rows))


def _cost(summary: Summary) -> list[str]:
    cost = summary.cost
    return _bullets({
        "GPU hours of the whole study": f"{cost.gpu_seconds / 3600:.2f}",
        "wall time": words.duration(cost.wall_s),
        "GPUs": ", ".join(_gpus(summary)) or "none",
    })  # fmt: skip


def _gpus(summary: Summary) -> Iterable[str]:
    gpus = summary.provenance.get("gpus")
    listed = gpus if isinstance(gpus, list) else []
    return [str(each.get("name", "")) for each in listed if isinstance(each, Mapping)]


def _machine(summary: Summary) -> list[str]:
    found = summary.provenance
    packages = found.get("packages")
    rows = {"trainer": summary.config.trainer, "Python": str(found.get("python", ""))}
    if isinstance(packages, Mapping):
        rows |= {str(name): str(version) for name, version in packages.items()}
    image = found.get("image")
    if isinstance(image, Mapping):
        rows["container image"] = str(image.get("id") or image.get("name") or "")
    rows["commit of automl"] = str(found.get("git_commit") or "")
    return _bullets(rows)


def _again(summary: Summary) -> list[str]:
    lines = [f"{command.purpose}:\n\n```sh\n{command.line}\n```" for command in summary.commands
             if command.name in ("best", "train", "evaluate", "repeat")]  # fmt: skip
    return ["\n\n".join(lines)] if lines else ["Nothing has been trained yet."]


def _bullets(rows: Mapping[str, str]) -> list[str]:
    return [f"- {name}: {value}" for name, value in rows.items() if value]


def _table(rows: list[list[str]]) -> list[str]:
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]]
