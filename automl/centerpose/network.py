"""What may be known of a CenterPose training before it starts: the application asks here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.load import load_spec
from automl.centerpose.hardware.compute_forecast import GFLOP_FORWARD, forecast_gflop
from automl.centerpose.hardware.memory_forecast import MEMORY_NEEDS, forecast_mib
from automl.data.checks import (
    USUAL_MAX_OBJECTS,
    Purpose,
    SplitFacts,
    check_enough,
    purpose_of,
)
from automl.data.splits import read_through_split
from automl.errors import FixData, FixInput
from automl.poses.known_size import KnownSize, read_known_size

__all__ = ["CenterPose", "TrainingForecast"]

_DATA = {"train": "train_data", "val": "val_data"}
_LATER = {"test": "test_data", "inference": "inference_data"}
_MODEL, _BATCH, _SIDE, _PRECISION = (
    *("model.backbone.model_type", "dataset.batch_size"),
    *("dataset.input_res", "train.precision"),
)
_CATEGORY, _ABSOLUTE, _KNOWN_SIZE = (
    *("dataset.category", "dataset.use_absolute_scale"),
    "inference.known_size",
)


@dataclass(frozen=True, slots=True)
class TrainingForecast:
    """What the largest trial of a study will need.

    Attributes:
        mib: GPU memory at the peak of its training, in MiB, its data set left out.
        words: What makes it the largest.
        parameters: Weights of the largest network, in millions.
    """

    mib: int
    words: str
    parameters: float


class CenterPose:
    """What this package knows of CenterPose beyond its skill."""

    def check_spec(self, spec: Mapping[str, Any]) -> None:
        """Refuses a spec that the training would refuse to read.

        The schema says less than the network's own types: not what the entries of a list are.

        Raises:
            FixInput: A value has the wrong type.
        """
        load_spec(spec, "train")

    def check_data(
        self, spec: Mapping[str, Any], batch: int, devices: int
    ) -> Mapping[str, SplitFacts]:
        """What the splits hold: ``train`` and ``val``, and those of later actions that are here.

        A test split and images to predict on are checked where the spec names a folder of this
        machine: what is wrong with them is better known before the training than after it.

        Args:
            spec: The complete spec; names the folders.
            batch: Images per device and step.
            devices: GPUs of one training; a CPU counts as one.

        Raises:
            FixInput: A split is missing or broken, or cannot fill one batch.
        """
        block = spec.get("dataset") or {}
        splits = {split: _facts(block, split, name) for split, name in _DATA.items()}
        for split, facts in splits.items():
            check_enough(facts, batch, devices, f"dataset.{_DATA[split]}")
        for split, name in _LATER.items():
            checked = {str(facts.root) for facts in splits.values()}
            if _is_here(block.get(name)) and block[name] not in checked:
                splits[split] = _facts(block, split, name)
        return splits

    def forecast(
        self, spec: Mapping[str, Any], searched: Mapping[str, Sequence[Any]]
    ) -> TrainingForecast | None:
        """What the largest trial needs; None where a network is not known here.

        Args:
            spec: The complete spec of trial 0.
            searched: Dotted key to the values that a trial may have; of a range the highest.
        """
        trials = list(_forecasts(spec, searched))
        if not trials or None in trials:
            return None
        known = [trial for trial in trials if trial is not None]
        largest = max(known, key=lambda trial: trial.mib)
        most = max(trial.parameters for trial in known)
        return TrainingForecast(largest.mib, largest.words, most)

    def gflop(self, spec: Mapping[str, Any]) -> float | None:
        """1e9 operations of a forward pass over one image; None for a network not known here.

        Args:
            spec: The complete spec.
        """
        side = _value(spec, _SIDE)
        return forecast_gflop(str(_value(spec, _MODEL)), side) if isinstance(side, int) else None

    def kind(self, spec: Mapping[str, Any]) -> str:
        """What decides how long an image takes: ``DLA34, 512 px, bf16``.

        Args:
            spec: The complete spec.
        """
        model, side, precision = (_value(spec, key) for key in (_MODEL, _SIDE, _PRECISION))
        return f"{model}, {side} px, {precision}"

    def known_size(self, spec: Mapping[str, Any], text: str, where: str) -> KnownSize | None:
        """What is known of the objects of the spec's category; None for nothing.

        Args:
            spec: Of any action; names the category.
            text: What is known, as ``automl.poses.known_size`` reads it; blank for what the spec
                itself says.
            where: What to call the place in an error.

        Raises:
            FixInput: It is no size, or of another category.
        """
        category = str(_value(spec, _CATEGORY) or Dataset().category)
        own = _value(spec, _KNOWN_SIZE)
        return read_known_size(text or str("" if own is None else own), category, where)

    def size_settings(self, text: str) -> Mapping[str, Any]:
        """Dotted key to value: what tells the inference a known size."""
        return {_KNOWN_SIZE: text}

    def is_up_to_scale(self, spec: Mapping[str, Any]) -> bool:
        """Whether nothing in the spec says how long a unit of the poses is."""
        return not (_value(spec, _KNOWN_SIZE) or _value(spec, _ABSOLUTE))

    @property
    def cheapest(self) -> Mapping[str, Any]:
        """The setting of the network that costs least an image."""
        return {_MODEL: min(GFLOP_FORWARD, key=GFLOP_FORWARD.__getitem__)}


def _forecasts(
    spec: Mapping[str, Any], searched: Mapping[str, Sequence[Any]]
) -> Iterator[TrainingForecast | None]:
    keys = (_MODEL, _BATCH, _SIDE, _PRECISION)
    options = (searched.get(key) or (_value(spec, key),) for key in keys)
    for model, batch, side, precision in product(*options):
        if not isinstance(batch, int) or not isinstance(side, int):
            yield None
            continue
        mib = forecast_mib(str(model), batch, side, str(precision))
        words = f"{model}, batch {batch}, {side} px, {precision}"
        yield (
            None
            if mib is None
            else TrainingForecast(mib, words, MEMORY_NEEDS[str(model)].parameters)
        )


def _value(spec: Mapping[str, Any], key: str) -> Any:
    value: Any = spec
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _is_here(folder: Any) -> bool:
    return isinstance(folder, str) and bool(folder) and Path(folder).is_dir()


def _purpose(block: Mapping[str, Any], split: str) -> Purpose:
    most, category = block.get("max_objs"), block.get("category")
    return purpose_of(
        split,
        category if isinstance(category, str) else None,
        most if isinstance(most, int) else USUAL_MAX_OBJECTS,
    )


def _facts(block: Mapping[str, Any], split: str, name: str) -> SplitFacts:
    """The facts of one split, from the folder that the training will read."""
    folder = str(block.get(name) or "")
    if not folder:
        raise FixInput(
            f"training needs {split} data",
            got=f"no dataset.{name}",
            fix=f"give --{split}-data PATH, or try --demo, which brings its own",
        )
    try:
        return read_through_split(Path(folder), _purpose(block, split))
    except FixData as error:
        where = f"{error.where}, {split} data" if error.where else f"{split} data"
        raise FixData(error.rule, got=error.got, where=where, fix=error.fix) from error
