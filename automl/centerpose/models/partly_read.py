"""Head maps of which a training reads a few cells, so that the rest need not be computed."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from automl.centerpose.models.heads import HEADS

__all__ = ["CellAnswer", "PartlyRead"]


class CellAnswer(Protocol):
    """Turns a feature map into maps of some heads, whole or in a few cells."""

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """(B, C, G, G) by head."""
        ...

    def at(self, x: Tensor, cells: Tensor) -> dict[str, Tensor]:
        """(B, K, C) by head: the same in the flat cells (B, K)."""
        ...


class PartlyRead(Mapping[str, Tensor]):
    """The maps (B, C, G, G) of all heads; some are computed whole only where they are asked for.

    Args:
        ready: Maps that are there.
        answer: Computes the others.
        x: What it computes them from.
    """

    def __init__(self, ready: Mapping[str, Tensor], answer: CellAnswer, x: Tensor) -> None:
        self._maps = dict(ready)
        self._answer = answer
        self._x = x

    def __getitem__(self, head: str) -> Tensor:
        if head in HEADS and head not in self._maps:
            self._maps |= self._answer(self._x)
        return self._maps[head]

    def __iter__(self) -> Iterator[str]:
        return iter(HEADS)

    def __len__(self) -> int:
        return len(HEADS)

    def at(self, places: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """(B, S, N, C) by head: values of maps that may not be there, computed in one go.

        Args:
            places: Flat cells (B, S, N) by head; heads may share them.
        """
        lists = {id(cells): cells.flatten(1) for cells in places.values()}
        joint = self._answer.at(self._x, torch.cat(list(lists.values()), 1))
        found = {}
        for head, cells in places.items():
            parts = torch.split(joint[head], [each.shape[1] for each in lists.values()], 1)
            own = parts[list(lists).index(id(cells))]
            found[head] = own.reshape(*cells.shape, own.shape[2])
        return found
