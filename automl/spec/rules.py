"""Which settings a spec of an action may hold, by the schemas of its skill."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.keys import KeyHints, NetworkKeys, find_keys
from automl.skill.model import ParameterSchema, Skill
from automl.skill.read import read_action_schema, read_profile_of
from automl.skill.schema import SchemaTree
from automl.skill.tree import Tree, leaves
from automl.skill.typewords import Family, family_of
from automl.spec.values import coerce

__all__ = ["SpecRules", "rules_for"]


@dataclass(frozen=True, slots=True)
class SpecRules:
    """What a spec of one action may hold.

    A training reads settings of other actions too (``evaluate.opencv`` decides how it validates),
    so the blocks of other actions are judged by those actions' schemas.

    Attributes:
        skill: The skill.
        action: The action that the spec is for.
        schema: The action's own schema; None where the skill has none that can be read.
        foreign: Schemas of the skill's other actions, by action.
        example: Settings that are known from a template where there is no schema.
    """

    skill: Skill
    action: str
    schema: SchemaTree | None = None
    foreign: Mapping[str, SchemaTree] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> NetworkKeys:
        """Which settings of the action's spec mean what."""
        if self.action == "train" and self.skill.keys != NetworkKeys():
            return self.skill.keys
        info = self.skill.actions.get(self.action)
        inferred = info.spec_params if info is not None else {}
        hints = KeyHints(short=self.skill.shorthand, inferred=inferred)
        return find_keys(self.action, list(self._own_keys()), hints)

    def schema_of(self, key: str) -> SchemaTree | None:
        """The schema that describes a key's block; None where none does."""
        block = key.partition(".")[0].partition("[")[0]
        if self.schema is not None and self.schema.contains(block):
            return self.schema
        return self.foreign.get(block) or self.schema

    def leaf_of(self, key: str) -> ParameterSchema | None:
        """What is known of the setting that ``key`` names or lies in; None for an unknown one."""
        schema = self.schema_of(key)
        return schema.leaf_of(key) if schema is not None else None

    def long_key(self, key: str) -> str:
        """The dotted key that a skill's short key stands for, else the key itself."""
        return self.skill.shorthand.get(key, key)

    def has(self, key: str) -> bool:
        """Whether the action's own spec has a setting of exactly this key."""
        if self.schema is None:
            return any(key == known for known in self._own_keys())
        return key in self.schema.leaves

    def _own_keys(self) -> Iterator[str]:
        if self.schema is None:
            yield from (key for key, _ in leaves(self.example))
        else:
            yield from self.schema.leaves

    def check(self, values: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Settings as the user gave them, by long key, each typed and inside its bounds.

        A value for a whole group is taken apart into the group's settings.

        Raises:
            FixInput: A key is unknown (the error names the nearest), or a value does not fit.
        """
        checked: dict[str, Any] = {}
        for given, value in values.items():
            key = self.long_key(given)
            for name, entry in self._settings(key, value, where):
                checked[name] = self._checked(name, entry, where)
        return checked

    def _settings(self, key: str, value: Any, where: str) -> Iterator[tuple[str, Any]]:
        schema = self.schema_of(key)
        if schema is None or key not in schema.groups:
            yield key, value
        elif isinstance(value, Mapping):
            yield from leaves(value, f"{key}.")
        else:
            raise FixInput(
                f"{key} must be a setting, not a group of them",
                got=repr(value),
                where=f"{where} {key}",
                fix=f"name one of its keys: {', '.join(self._inside(key))}",
            )

    def _inside(self, group: str) -> list[str]:
        return [key for key in self.known_keys() if key.startswith(f"{group}.")][:5]

    def _checked(self, key: str, value: Any, where: str) -> Any:
        leaf = self.leaf_of(key)
        if leaf is None:
            added = read_profile_of(self.skill).added
            if key not in added:
                self._check_known(key, where)
            elif added[key] and value not in added[key]:
                one_of = " or ".join(map(str, added[key]))
                raise FixInput(f"{key} must be {one_of}", got=repr(value), where=f"{where} {key}")
            return value
        if leaf.key != key or family_of(leaf) in (Family.GROUP, Family.ANY):
            return value  # the schema does not say what a free group or a list's entry holds
        return coerce(value, leaf, f"{where} {key}")

    def _check_known(self, key: str, where: str) -> None:
        known = list(self.known_keys())
        if self.schema is None and (key in known or not known):
            return
        raise FixInput(
            f"a setting of {self.action} must be one that its schema knows",
            got=key,
            where=where,
            fix=did_you_mean(key, (*known, *self.skill.shorthand)),
        )

    def known_keys(self) -> Iterator[str]:
        """Every dotted key that a spec of the action may hold."""
        yield from self._own_keys()
        for action, schema in self.foreign.items():
            if self.schema is None or not self.schema.contains(action):
                yield from (key for key in schema.leaves if key.startswith(f"{action}."))


def rules_for(skill: Skill, action: str, example: Tree | None = None) -> SpecRules:
    """The rules of an action's spec, from whichever schemas of the skill can be read.

    Args:
        skill: The skill.
        action: The action that specs are built for.
        example: A template, for a skill without a schema of the action.
    """
    foreign = _OtherSchemas(skill, action)
    return SpecRules(skill, action, _readable(skill, action), foreign, example or {})


class _OtherSchemas(Mapping[str, SchemaTree]):
    """The schemas of a skill's other actions, each read when it is first asked for.

    Most specs hold no block that their own schema lacks, and reading a schema takes a while.
    """

    def __init__(self, skill: Skill, action: str) -> None:
        self._skill = skill
        self._actions = tuple(name for name in skill.actions if name != action)

    def __getitem__(self, action: str) -> SchemaTree:
        schema = _readable(self._skill, action) if action in self._actions else None
        if schema is None:
            raise KeyError(action)
        return schema

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._actions if _readable(self._skill, name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _readable(skill: Skill, action: str) -> SchemaTree | None:
    """The schema of an action; None where it is missing or broken: the gate has reported why."""
    try:
        return read_action_schema(skill, action)
    except FixInput:
        return None
