"""A first study file for data that was found, each choice with its reason beside it."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.app.found_data import FoundSplit
from automl.app.machine import Machine
from automl.errors import FixInput

__all__ = ["Draft", "check_new", "draft", "draft_text"]

#: NVIDIA GPUs whose tensor cores know bfloat16 (Ampere and later), by the driver's name for them.
_KNOWS_BF16 = re.compile(
    r"\b(?:A(?:2|10G?|16|30|40|100|800)|H(?:20|100|200|800)|L(?:4|20|40S?)|B(?:100|200|300)"
    r"|G[HB]200|RTX A\d{4}|RTX (?:PRO )?[3-9]\d{3}|RTX \d{4} Ada)\b"
)
_GPU_EPOCHS, _CPU_EPOCHS = 30, 10
#: Where the learning rate falls, as shares of the training.
_MILESTONES = (0.6, 0.85)
_BATCHES = (4, 2, 1)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a study file is drafted with.

    Attributes:
        splits: ``train``, ``val`` and ``test`` to what was found.
        category: The class to train.
        others: Further classes in the data.
        backbone: The network.
        backbone_why: Why this one.
        precision: ``bf16`` or ``fp32``.
        precision_why: Why.
        epochs: Of one training.
        batch_size: Of one GPU.
        trials: In the search.
    """

    splits: Mapping[str, FoundSplit]
    category: str
    others: tuple[str, ...]
    backbone: str
    backbone_why: str
    precision: str
    precision_why: str
    epochs: int
    batch_size: int
    trials: int

    @property
    def milestones(self) -> tuple[int, ...]:
        """Epochs after which the learning rate falls, inside the training."""
        return tuple(max(1, round(share * self.epochs)) for share in _MILESTONES)


def check_new(path: Path) -> None:
    """Refuses a file that is there.

    Raises:
        FixInput: It is.
    """
    if path.exists() or path.is_symlink():
        raise FixInput(
            "automl init never writes over a file",
            got=f"{path}, which is there",
            fix="name another with --out, or move it away",
        )


def draft(splits: Mapping[str, FoundSplit], machine: Machine, backbone: str = "") -> Draft:
    """What is proposed for some data on a machine.

    Args:
        splits: What was found.
        machine: Where it will be trained.
        backbone: The network that was asked for; empty for the one that fits the machine.

    Raises:
        FixInput: There is no training data.
    """
    if "train" not in splits:
        raise FixInput(
            "a study needs training data",
            got="no folder or tarball named train beside one named val",
            fix="name them: automl init --train DIR --val DIR",
        )
    category = splits["train"].category
    known = splits["train"].categories or {}
    chosen, why = _backbone(machine, backbone)
    precision, precision_why = _precision(machine)
    fewest = min((each.images for each in splits.values() if each.images), default=_BATCHES[0])
    return Draft(
        splits=splits,
        category=category,
        others=tuple(sorted(name for name in known if name != category)),
        backbone=chosen,
        backbone_why=why,
        precision=precision,
        precision_why=precision_why,
        epochs=_GPU_EPOCHS if machine.gpus else _CPU_EPOCHS,
        batch_size=next((size for size in _BATCHES if size <= fewest), 1),
        trials=20 if machine.gpus else 10,
    )


def _backbone(machine: Machine, asked: str) -> tuple[str, str]:
    if asked:
        return asked, "as asked"
    if machine.gpus:
        return "DLA34", "twice as fast as the template's fan_small"
    return "nano", "no GPU was found here: the one network that a CPU trains in minutes"


def _precision(machine: Machine) -> tuple[str, str]:
    names = [gpu.name for gpu in machine.gpus]
    if names and all(map(_KNOWS_BF16.search, names)):
        return "bf16", f"{names[0]} computes it twice as fast; the container takes fp32 alone"
    if names:
        return "fp32", f"whether {names[0]} is fast in bf16 is not known here"
    return "fp32", "what a CPU computes in"


# Text


def draft_text(made: Draft, file: Path) -> str:
    """The study file.

    Args:
        made: What it proposes.
        file: Where it will lie; paths below its folder are written relative to it.
    """
    lines = [
        "# A study, drafted by automl init from data and machine. Every line may be changed.",
        "#",
        f"#   automl plan {file}     what would happen; spends nothing",
        f"#   automl run {file}      search, and confirm the winner",
        "",
        *_data(made, file.parent),
        "",
        "set:",
        *_aligned(_settings(made)),
        "",
        *_aligned(_search(made), indent=""),
    ]
    return "\n".join(lines) + "\n"


def _data(made: Draft, folder: Path) -> list[str]:
    pairs = [
        (f"{split}: {_quoted(_path(found.path, folder))}", _counted(found))
        for split, found in made.splits.items()
    ]
    lines = ["data:", *_aligned(pairs)]
    if "val" not in made.splits:
        lines.append("  # val: FOLDER   needed: images that no training sees, to choose by")
    if "test" not in made.splits:
        lines.append("  # test: FOLDER  images that nothing is chosen by: the held-out value")
    return lines


def _counted(found: FoundSplit) -> str:
    if found.images is None:
        return "a tarball; it was not opened"
    classes = ", ".join(f"{n} {name}" for name, n in (found.categories or {}).items())
    return f"{found.images} images" + (f"; the first hold {classes}" if classes else "")


def _path(path: Path, folder: Path) -> str:
    absolute, folder = path.absolute(), folder.absolute()
    inside = absolute.is_relative_to(folder)
    return os.path.relpath(absolute, folder) if inside else str(absolute)


def _settings(made: Draft) -> list[tuple[str, str]]:
    category = _quoted(made.category) if made.category else "CATEGORY"
    others = f"; the data also holds {', '.join(made.others)}" if made.others else ""
    steps = ", ".join(map(str, made.milestones))
    return [
        (f"dataset.category: {category}", f"the class to train{others}"),
        (f"model.backbone.model_type: {made.backbone}", made.backbone_why),
        (f"dataset.batch_size: {made.batch_size}", "of one GPU"),
        (f"train.precision: {made.precision}", made.precision_why),
        (f"train.num_epochs: {made.epochs}", "more is better and takes longer"),
        ("train.checkpoint_interval: 1", "must divide the epochs"),
        ("train.validation_interval: 1", "likewise: the last epoch must be measured"),
        (
            f"train.optim.lr_steps: [{steps}]",
            "inside the training, or lr_decay does nothing",
        ),
    ]


def _search(made: Draft) -> list[tuple[str, str]]:
    return [
        (
            f"trials: {made.trials}",
            "the first is the default, which gains count against",
        ),
        ("confirm: 3", "then winner and default again with fresh seeds; 0 for none"),
        ("seed: 1", "the same seed proposes the same"),
        ("# max_wall: 8h", "what the whole study may take"),
    ]


def _aligned(pairs: Sequence[tuple[str, str]], indent: str = "  ") -> list[str]:
    width = max(len(setting) for setting, _ in pairs)
    return [f"{indent}{setting:<{width}}  # {why}" for setting, why in pairs]


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z_./][\w./-]*", text) else json.dumps(text)
