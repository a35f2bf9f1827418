"""A table of poses in memory; the file it comes from is that of ``parquet``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["PICTURES", "POSES_NAME", "Columns", "PoseTable"]

POSES_NAME: Final = "poses.parquet"
PICTURES: Final = "pictures"
"""The folder beside it with small pictures of some images, named by the image's number."""

Columns: TypeAlias = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, eq=False)
class PoseTable:
    """The rows of a file, by column.

    Attributes:
        columns: Name to values: (N,) or (N, k), those of ``parquet.COLUMNS``.
    """

    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["index"])

    def __getitem__(self, name: str) -> npt.NDArray[np.generic]:
        return self.columns[name]

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as float64."""
        return self.columns[name].astype(np.float64)

    def take(self, rows: npt.NDArray[np.generic]) -> "PoseTable":
        """The rows at an index, or under a mask."""
        return PoseTable({name: values[rows] for name, values in self.columns.items()})
