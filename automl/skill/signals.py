"""What a training reports beside the objective and may be judged by early.

The block ``signals`` of a search profile::

    signals:
      - {metric: train_loss, better: lower, within: [train.loss_config, model.backbone]}
      - {metric: val_2DMPE, better: lower, silent: 0.0}

A metric that no profile declares is never looked at: which way it is better cannot be known from
its name. The one exception is the training loss, which every trainer of the contract reports and
minimises; of a skill without a profile it compares only between trials that differ in nothing but
the settings of the optimiser.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["ANY_OTHER", "TRAINING_LOSS", "Signal", "read_signals"]

#: Stands in ``within`` for every setting that is not one of the optimiser.
ANY_OTHER = "*"
_WORDS = ("metric", "better", "within", "silent")
_BETTER = ("lower", "higher")


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that may rank trials before the objective does.

    Attributes:
        metric: Its name, as reported.
        better: ``lower`` or ``higher``.
        within: Settings, or blocks of them, that change what its values mean: it ranks only
            trials that have equal values of them.
        silent: The value that says nothing, as it is reported where nothing could be measured;
            None if every value counts.
    """

    metric: str
    better: str = "lower"
    within: tuple[str, ...] = ()
    silent: float | None = None

    def merit(self, value: float) -> float | None:
        """The value turned so that more is better; None where it says nothing."""
        if value == self.silent:
            return None
        return value if self.better == "higher" else -value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The signal that ``to_json`` wrote."""
        return cls(**{**value, "within": tuple(value.get("within", ()))})

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self) | {"within": list(self.within)}


#: What is known of any training that follows the trainers' contract.
TRAINING_LOSS = Signal("train_loss", "lower", (ANY_OTHER,))


def read_signals(block: Any, where: str) -> tuple[Signal, ...]:
    """The signals that a search profile declares.

    Raises:
        FixInput: The block is no list of signals, or one of them holds what no signal may.
    """
    if block is None:
        return ()
    if not isinstance(block, list):
        raise FixInput("signals must be a list", got=repr(block), where=where)
    return tuple(_signal(entry, f"{where}: signals[{n}]") for n, entry in enumerate(block))


def _signal(entry: Any, where: str) -> Signal:
    if not isinstance(entry, Mapping):
        raise FixInput("a signal must be a mapping", got=repr(entry), where=where)
    unknown = next((str(word) for word in entry if word not in _WORDS), None)
    if unknown is not None:
        raise FixInput(
            f"a signal may hold {', '.join(_WORDS)}",
            got=unknown,
            where=where,
            fix=did_you_mean(unknown, _WORDS),
        )
    metric, better, silent = entry.get("metric"), entry.get("better"), entry.get("silent")
    if not isinstance(metric, str) or not metric:
        raise FixInput("metric must name what is reported", got=repr(metric), where=where)
    if better not in _BETTER:
        raise FixInput("better must be lower or higher", got=repr(better), where=where)
    if silent is not None and (isinstance(silent, bool) or not isinstance(silent, int | float)):
        raise FixInput("silent must be a number", got=repr(silent), where=where)
    within = _keys(entry.get("within"), where)
    return Signal(metric, better, within, None if silent is None else float(silent))


def _keys(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(key, str) and key for key in value):
        raise FixInput("within must be a list of dotted keys", got=repr(value), where=where)
    return tuple(value)
