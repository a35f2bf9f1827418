"""Which trainings the recorded tables hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scipy.stats import qmc

LOSS, OPTIM = "train.loss_config", "train.optim"
Draw = Callable[[float], Any]


def short(value: Any) -> Any:
    """A number to seven digits; anything else as it is."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def log(low: float, high: float) -> Draw:
    """A number between two, even in its logarithm."""
    return lambda u: short(low * (high / low) ** u)


def one_of(*options: Any) -> Draw:
    return lambda u: options[min(int(u * len(options)), len(options) - 1)]


DEFAULT: dict[str, Any] = {
    f"{OPTIM}.lr": 1.25e-4,
    f"{OPTIM}.lr_decay": 0.1,
    f"{OPTIM}.lr_steps": [9],
    "dataset.batch_size": 16,
    f"{LOSS}.hp_weight": 1,
    f"{LOSS}.hm_hp_weight": 1,
    "dataset.no_color_aug": False,
}
SPACES: Mapping[str, Mapping[str, Draw]] = {
    "B": {
        f"{OPTIM}.lr": log(1e-5, 3e-3),
        f"{OPTIM}.lr_decay": log(0.02, 1.0),
        f"{OPTIM}.lr_steps": one_of(*([step] for step in range(4, 12))),
    },
    "C": {
        f"{OPTIM}.lr": log(1e-5, 3e-3),
        f"{OPTIM}.lr_decay": log(0.02, 1.0),
        "dataset.batch_size": one_of(8, 16, 32),
        f"{LOSS}.hp_weight": one_of(1, 2, 4, 8),
        f"{LOSS}.hm_hp_weight": one_of(1, 2, 4, 8),
        "dataset.no_color_aug": one_of(False, True),
    },
}
SEEDS = {"B": 2000, "C": 3000}
DATA_SEEDS = {"B": 21, "C": 22}
_AGAIN = 500  # more than a table has trainings


@dataclass(frozen=True, slots=True)
class Job:
    """One training to record."""

    table: str
    number: int
    seed: int
    settings: dict[str, Any]


def jobs_of(table: str, trainings: int, again: int = 0) -> Iterator[Job]:
    """The trainings of a table, in order; those of another round have other seeds of their own."""
    space = SPACES[table]
    points = qmc.Sobol(len(space), rng=SEEDS[table])
    default = {key: value for key, value in DEFAULT.items() if key in space}
    for number in range(trainings):
        settings = default
        if number % 10:
            point = points.random(1)[0].tolist()
            settings = {key: draw(u) for (key, draw), u in zip(space.items(), point, strict=True)}
        yield Job(table, number, SEEDS[table] + _AGAIN * again + number, settings)
