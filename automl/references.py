"""References between the settings of one spec, as OmegaConf writes them.

``${a.b}`` stands for the value at ``a.b``; ``${.b}`` for that of the setting ``b`` beside the one
that holds the reference, and each further dot goes one group up. A reference that is part of a
text is replaced by the value's text, the innermost first. OmegaConf's resolvers, such as
``${oc.env:HOME}``, read more than the spec, and are refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from automl.errors import FixInput

__all__ = ["has_reference", "resolved", "value_at"]

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
#: References that one text may hold, those that come of replacing others included.
_MOST = 50
#: Characters of a text in which references were replaced.
_LONGEST = 8192

Path = tuple[str | int, ...]


def has_reference(value: Any) -> bool:
    """Whether a value is, or holds, a reference."""
    return isinstance(value, str) and "${" in value


def resolved(
    tree: Mapping[str, Any], default_of: Callable[[str], Any] | None = None
) -> dict[str, Any]:
    """A copy of a spec in which every reference is replaced by what it stands for.

    Args:
        tree: The spec.
        default_of: The value of a key that the spec lacks; raises ``FixInput`` for an unknown one.

    Raises:
        FixInput: A reference leads to nothing, runs in a circle, or needs a resolver.
    """
    resolver = _Resolver(tree, default_of or _unknown)
    return {name: resolver.value(value, (name,), ()) for name, value in tree.items()}


def value_at(tree: Mapping[str, Any], key: str, value: Any) -> Any:
    """What a value of a spec stands for; itself where its reference leads to nothing.

    Args:
        tree: The spec.
        key: Dotted key of the value.
        value: The value there.
    """
    if not has_reference(value):
        return value
    try:
        return _Resolver(tree, _unknown).value(value, _steps(key), ())
    except FixInput:
        return value


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Replaces references by values of one spec.

    Attributes:
        tree: The spec.
        default_of: The value of a key that the spec lacks.
        known: What each key that was referred to stands for: none is followed twice.
    """

    tree: Mapping[str, Any]
    default_of: Callable[[str], Any]
    known: dict[str, Any] = field(default_factory=dict)

    def value(self, value: Any, path: Path, chain: tuple[str, ...]) -> Any:
        """A value without references.

        Args:
            value: What stands in the spec.
            path: Where.
            chain: Keys of the references that led here.
        """
        if isinstance(value, Mapping):
            return {name: self.value(one, (*path, name), chain) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, (*path, place), chain) for place, one in enumerate(value)]
        return self._text(value, path, chain) if has_reference(value) else value

    def _text(self, text: str, path: Path, chain: tuple[str, ...]) -> Any:
        for _ in range(_MOST):
            reference = _REFERENCE.search(text)
            if reference is None:
                return text
            value = self._named(reference[1].strip(), path, chain)
            if reference[0] == text.strip():
                return value
            if isinstance(value, Mapping | list):
                raise FixInput("a reference inside a text must name one value", got=reference[0])
            text = f"{text[: reference.start()]}{value}{text[reference.end() :]}"
            if len(text) > _LONGEST:
                break
        rule = f"a text must hold at most {_MOST} references and {_LONGEST} characters"
        raise FixInput(rule, got=f"{text[:60]}...", where=_dotted(path))

    def _named(self, name: str, path: Path, chain: tuple[str, ...]) -> Any:
        """What a reference stands for; a refusal says which setting holds it."""
        try:
            return self._referred(name, path, chain)
        except FixInput as error:
            if error.where:
                raise
            where = _dotted(path)
            raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error

    def _referred(self, name: str, path: Path, chain: tuple[str, ...]) -> Any:
        if ":" in name:
            raise FixInput(
                "a reference must name a setting of the spec, as ${a.b} or relative as ${.b}; "
                "resolvers are not read",
                got=f"${{{name}}}",
            )
        steps = self._absolute(name, path)
        key = _dotted(steps)
        if key in chain:
            raise FixInput("references must not run in a circle", got=" -> ".join((*chain, key)))
        if key not in self.known:
            self.known[key] = self._found(steps, key, chain)
        return self.known[key]

    def _found(self, steps: Path, key: str, chain: tuple[str, ...]) -> Any:
        here: Any = self.tree
        for step in steps:
            if not _leads_on(here, step):
                return self.default_of(key)
            here = here[step]
        return self.value(here, steps, (*chain, key))

    def _absolute(self, name: str, path: Path) -> Path:
        up = len(name) - len(name.lstrip("."))
        if not up:
            return _steps(name)
        if up > len(path):
            raise FixInput(
                "a relative reference must stay inside the spec",
                got=f"${{{name}}}",
                where=_dotted(path),
            )
        return (*path[: len(path) - up], *_steps(name.lstrip(".")))


def _steps(key: str) -> Path:
    return tuple(name or int(place) for name, place in _STEP.findall(key))


def _dotted(steps: Path) -> str:
    names = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(names).removeprefix(".")


def _leads_on(here: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(here, Mapping) and step in here
    return isinstance(here, list) and step < len(here)


def _unknown(key: str) -> NoReturn:
    raise FixInput("a reference must name a setting", got=f"${{{key}}}")
