"""The metrics of the published skills, as far as their pages state them: data of this package.

``references/known_metrics.yaml`` holds them by network. A skill's own search profile comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automl.errors import FixInput
from automl.files import ReadOnce
from automl.yamltext import load_yaml

__all__ = ["KnownMetric", "known_metrics"]

_FILE = Path("references", "known_metrics.yaml")


@dataclass(frozen=True, slots=True)
class KnownMetric:
    """The metric that a network is judged by.

    Attributes:
        metric: Its name, as the training writes it.
        direction: ``maximize`` or ``minimize``.
        source: Where that is stated.
        worst: The worst value that it can take; None where nothing bounds it.
    """

    metric: str
    direction: str
    source: str
    worst: float | None = None


def known_metrics(files: ReadOnce, package: Path) -> Mapping[str, KnownMetric]:
    """Network to its metric; empty where the installation lacks the file.

    Args:
        files: The files that have been read.
        package: The folder of this package's own skill.

    Raises:
        FixInput: The file is broken.
    """
    path = package / _FILE
    if not path.is_file():
        return {}
    tree = files(path, load_yaml)
    try:
        return {str(network): KnownMetric(**entry) for network, entry in tree.items()}
    except (AttributeError, TypeError) as error:
        raise FixInput(
            "known_metrics.yaml must map networks to metric, direction and source",
            got=str(error),
            where=str(path),
        ) from error
