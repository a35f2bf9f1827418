"""Settings in layers: flag, environment variable, study file, default; the first one beats.

Each value is read once into its type, and keeps where it came from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.settings.setting import Place, Setting

__all__ = ["Chosen", "Layer", "Settings", "merge", "read_layer"]

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Layer:
    """Typed values from one place.

    Attributes:
        values: Setting name to typed value, those that were given alone.
        source: The study file; empty for flags, each of which is its own source.
        by_name: What an environment variable's name begins with before that of the setting; empty
            for values that come from elsewhere.
    """

    values: Mapping[str, Any]
    source: str = ""
    by_name: str = ""

    def origin(self, setting: Setting) -> str:
        """Where a value of this layer came from: the flag, the variable, or the study file."""
        if self.by_name:
            return f"{self.by_name}{setting.name.upper()}"
        return self.source or setting.flag or setting.name


@dataclass(frozen=True, slots=True)
class Chosen:
    """The value of a setting.

    Attributes:
        value: The value, typed.
        origin: Where it came from: the flag, the variable, the study file, or ``default``.
        places: Every place that contributed, the strongest first; empty for a default.
    """

    value: Any
    origin: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a table with its value.

    Attributes:
        table: Name to setting.
        chosen: Name to its value.
        layers: The layers that it was chosen from, the strongest first.
    """

    table: Mapping[str, Setting]
    chosen: Mapping[str, Chosen]
    layers: Sequence[Layer] = ()

    def __getitem__(self, name: str) -> Any:
        return self.chosen[name].value

    def origin(self, name: str) -> str:
        """Where the value of a setting came from."""
        return self.chosen[name].origin

    def is_given(self, name: str) -> bool:
        """Whether a flag, a variable or the study file gives it."""
        return bool(self.chosen[name].places)

    def said(self, name: str) -> Iterator[tuple[str, Any]]:
        """What each layer that speaks of a setting says: place and value, the strongest first."""
        setting = self.table[name]
        for layer in self.layers:
            if name in layer.values:
                yield layer.origin(setting), layer.values[name]

    def flags_given(self, settings: Iterable[Setting]) -> tuple[str, ...]:
        """The flags of some settings that the command line gave."""
        places = {place for chosen in self.chosen.values() for place in chosen.places}
        return tuple(one.flag for one in settings if one.flag and one.flag in places)


def read_layer(
    table: Mapping[str, Setting],
    values: Mapping[str, Any],
    source: str = "",
    folder: Path | None = None,
) -> Layer:
    """One layer with its values typed; what is None was not given.

    Args:
        table: Name to setting.
        values: Setting name to a flag's text, a study file's value, or a typed value.
        source: The study file, for messages; empty for flags.
        folder: The study file's folder; None for flags.

    Raises:
        FixInput: A value is none that its setting can have.
    """
    typed: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None:
            setting = table[name]
            called = setting.file_key if folder is not None else name
            place = Place(called, source or setting.flag or name, folder)
            if folder is not None and isinstance(value, str) and not value.strip():
                raise FixInput(
                    f"{called} must have a value",
                    got=repr(value),
                    where=place.where,
                    fix="leave it out to take the default",
                )
            typed[name] = setting.form.read(value, place)
    return Layer(typed, source)


def merge(table: Mapping[str, Setting], layers: Sequence[Layer]) -> Settings:
    """The value of each setting of a table.

    Args:
        table: Name to setting.
        layers: The strongest first.
    """
    chosen = {
        name: _added(setting, layers) if setting.form.adds_up else _first(setting, layers)
        for name, setting in table.items()
    }
    return Settings(table, chosen, tuple(layers))


def _first(setting: Setting, layers: Sequence[Layer]) -> Chosen:
    for layer in layers:
        if setting.name in layer.values:
            origin = layer.origin(setting)
            return Chosen(layer.values[setting.name], origin, (origin,))
    return Chosen(setting.default, DEFAULT)


def _added(setting: Setting, layers: Sequence[Layer]) -> Chosen:
    """The keys of all layers, weaker layers first.

    What a layer says of a key replaces what weaker ones say of it, in this setting or in its
    rival: a flag ``--freeze KEY`` undoes a study file's ``search`` of that key.
    """
    total: dict[str, Any] = {}
    places: list[str] = []
    for layer in reversed(layers):
        own = layer.values.get(setting.name, {})
        undone = {*own, *layer.values.get(setting.rival, {})}
        total = {key: value for key, value in total.items() if key not in undone} | dict(own)
        if own:
            places.insert(0, layer.origin(setting))
    return Chosen(total, places[0] if places else DEFAULT, tuple(places))
