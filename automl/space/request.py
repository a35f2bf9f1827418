"""What a study asks to be searched: a named set of parameters, and requests for single ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked, Frozen
from automl.skill.keys import NetworkKeys

__all__ = ["SPACES", "SpaceRequest"]

SPACES = ("default", "profile", "all")


@dataclass(frozen=True, slots=True)
class SpaceRequest:
    """Which parameters are searched.

    Attributes:
        space: ``default``, ``profile`` or ``all``.
        search: Adds parameters, or narrows them; each once.
        freeze: Removes parameters.
        shorthand: Short keys that stand for dotted ones (``learning_rate``).
        keys: Which settings mean what; None to find it by the names in the schema.
    """

    space: str = "default"
    search: tuple[Asked, ...] = ()
    freeze: tuple[Frozen, ...] = ()
    shorthand: Mapping[str, str] = field(default_factory=dict)
    keys: NetworkKeys | None = None

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise FixInput(
                f"a space must be one of {', '.join(SPACES)}",
                got=repr(self.space),
                where="--space",
            )

    def searched(self) -> dict[str, Asked]:
        """Each key named by ``search`` and what was asked of it, by dotted key."""
        named = self._once([asked.key for asked in self.search], "--search")
        return {key: asked.renamed(key) for key, asked in zip(named, self.search, strict=True)}

    def frozen(self) -> dict[str, tuple[Any, ...]]:
        """Each key named by ``freeze`` and its value, if one was given, in a tuple."""
        named = self._once([frozen.key for frozen in self.freeze], "--freeze")
        return {key: frozen.given for key, frozen in zip(named, self.freeze, strict=True)}

    def _once(self, names: Sequence[str], flag: str) -> list[str]:
        """The dotted keys of some names, of which no two may stand for one setting."""
        keys = [self.long_key(name) for name in names]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                first = names[keys.index(key)]
                raise FixInput(
                    "each setting must be named once",
                    got=f"{first} and {names[place]}",
                    where=flag,
                    fix="leave one of them",
                )
        return keys

    def long_key(self, key: str) -> str:
        """The dotted key that a short key stands for, else the key itself."""
        return self.shorthand.get(key, key)
