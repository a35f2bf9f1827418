"""The networks that this package knows more about than their skills say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from automl.data.checks import SplitFacts
from automl.poses.known_size import KnownSize
from automl.skill.model import Skill

__all__ = ["NETWORKS", "Costed", "MemoryForecast", "Network", "Scalable", "network_of"]


class MemoryForecast(Protocol):
    """What the largest trial of a study will need."""

    @property
    def mib(self) -> int:
        """GPU memory at the peak of its training, in MiB, its data set left out."""
        ...

    @property
    def words(self) -> str:
        """What makes it the largest."""
        ...

    @property
    def parameters(self) -> float:
        """Weights of the largest network, in millions."""
        ...


class Network(Protocol):
    """What is found out about a training before anything is spent."""

    def check_spec(self, spec: Mapping[str, Any]) -> None:
        """Refuses a spec that the training itself would refuse to read.

        Raises:
            FixInput: A value has the wrong type.
        """
        ...

    def check_data(
        self, spec: Mapping[str, Any], batch: int, devices: int
    ) -> Mapping[str, SplitFacts]:
        """What ``train`` and ``val`` hold, the folders that the spec names; others where known.

        Raises:
            FixInput: One is missing or broken, or cannot fill a batch on each device.
        """
        ...

    def forecast(
        self, spec: Mapping[str, Any], searched: Mapping[str, Sequence[Any]]
    ) -> MemoryForecast | None:
        """What the largest trial needs, by the values that trials may have; None if unknown."""
        ...


@runtime_checkable
class Costed(Protocol):
    """A network of which it is known how much one image costs it."""

    def gflop(self, spec: Mapping[str, Any]) -> float | None:
        """1e9 operations of a forward pass over one image; None if unknown."""
        ...

    def kind(self, spec: Mapping[str, Any]) -> str:
        """Network, size of an image and precision, in words: what decides an image's time."""
        ...

    @property
    def cheapest(self) -> Mapping[str, Any]:
        """Dotted key to value: what makes it the network that costs least."""
        ...


@runtime_checkable
class Scalable(Protocol):
    """A network whose inference gives metres once the object's true size is known."""

    def known_size(self, spec: Mapping[str, Any], text: str, where: str) -> KnownSize | None:
        """What a text, or the spec itself, says of its category's objects; None for nothing.

        Raises:
            FixInput: It is no size, or of another category.
        """
        ...

    def size_settings(self, text: str) -> Mapping[str, Any]:
        """Dotted key to value: what tells the inference a known size."""
        ...

    def is_up_to_scale(self, spec: Mapping[str, Any]) -> bool:
        """Whether nothing in the spec says how long a unit of the poses is."""
        ...


def _centerpose() -> Network:
    from automl.centerpose.network import CenterPose

    return CenterPose()


#: Network, as skills name it, to what makes its entry; a module is imported when it is asked for.
NETWORKS: Mapping[str, Callable[[], Network]] = {"centerpose": _centerpose}


def network_of(skill: Skill) -> Network | None:
    """What is known of a skill's network; None for one that its skill alone describes."""
    known = NETWORKS.get(skill.network_arch)
    return None if known is None else known()
