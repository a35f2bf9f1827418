"""Which leaves of a schema are searched, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.asked import Asked
from automl.skill.keys import ACTIONS
from automl.skill.model import ParameterSchema
from automl.skill.profile import Profile
from automl.skill.schema import SchemaTree
from automl.space.bounds import words_of
from automl.space.model import Refused
from automl.space.request import SpaceRequest

__all__ = ["Selection", "check_known", "select"]

_LOGGING_BLOCKS = frozenset(("wandb", "logging", "clearml"))
_RESOURCES = frozenset(("gpus", "gpu", "nodes", "devices"))
#: Settings of the machine: no space has them unless they are named.
_OF_THE_MACHINE = (
    (_RESOURCES, "resources are the study's own to give"),
    (
        frozenset(("workers", "pin", "prefetch", "threads")),
        "changes the speed of loading, not the outcome",
    ),
    (
        frozenset(("deterministic", "benchmark")),
        "changes the speed of training, not what is learnt",
    ),
)
_NO_SETTING_OF_LEARNING = (
    (frozenset(("seed",)), "a search over seeds picks luck, not settings"),
    (frozenset(("interval",)), "says when results are written, not how well it trains"),
    (frozenset(("freq", "save", "keep")), "says when results are written, not how well it trains"),
    (frozenset(("dry",)), "a dry run trains nothing"),
    (frozenset(("classes", "symmetry", "joints")), "describes the data, not the training"),
    (
        frozenset(("epoch", "epochs")),
        "the training's length is the price of a trial, not searched",
    ),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be searched.

    Attributes:
        asked: Dotted key to the range asked for it, in the order of the space.
        named: Keys that the user named; what is wrong with them is an error, not a remark.
        refused: Keys that belong to the space and are not searched, with the reason.
    """

    asked: Mapping[str, Asked]
    named: frozenset[str]
    refused: tuple[Refused, ...]


def check_known(schema: SchemaTree, key: str, where: str) -> ParameterSchema:
    """The schema of a leaf that a user named.

    Raises:
        FixInput: The schema has no such leaf; the error names the nearest.
    """
    leaf = schema.leaves.get(key)
    if leaf is not None:
        return leaf
    if key in schema.groups:
        raise FixInput(
            "a group of settings must not be searched as a whole",
            got=key,
            where=where,
            fix=f"name one of its keys: {', '.join(_inside(schema, key)) or 'it has none'}",
        )
    raise FixInput(
        f"{where} must name a key of the {schema.action} schema",
        got=key,
        fix=did_you_mean(key, schema.leaves) or "see `automl space --space all` for the keys",
    )


def _inside(schema: SchemaTree, group: str) -> list[str]:
    return [key for key in schema.leaves if key.startswith(f"{group}.")][:5]


def select(schema: SchemaTree, request: SpaceRequest, profile: Profile) -> Selection:
    """The keys that a request asks for: a named set, plus ``--search``, minus ``--freeze``.

    Raises:
        FixInput: A named key does not exist, belongs to another action, or the profile is empty.
    """
    asked, refused = _the_set(schema, request, profile)
    named = request.searched()
    for key, asked_of_key in named.items():
        check_known(schema, key, "--search")
        if _is_foreign(schema, key):
            raise FixInput(
                f"a {schema.action} study must search the settings of {schema.action}",
                got=key,
                where="--search",
            )
        if asked_of_key.is_explicit or key not in asked:
            asked[key] = asked_of_key
    for key in request.frozen():
        check_known(schema, key, "--freeze")
        if key in named:
            raise FixInput(
                "a key must be searched or frozen, not both", got=f"both for {key}", fix="drop one"
            )
        asked.pop(key, None)
    gone = set(asked) | set(request.frozen())
    kept = tuple(entry for entry in refused if entry.key not in gone)
    return Selection(asked, frozenset(named), kept)


def _the_set(
    schema: SchemaTree, request: SpaceRequest, profile: Profile
) -> tuple[dict[str, Asked], list[Refused]]:
    if request.space == "profile":
        return _profile_set(schema, profile), []
    keys = schema.leaves if request.space == "all" else _by_default(schema)
    asked: dict[str, Asked] = {}
    refused: list[Refused] = []
    for key in dict.fromkeys(keys):
        reason = _why_not(schema, key, whole=request.space == "all")
        if reason:
            refused.append(Refused(key, reason))
        else:
            asked[key] = Asked(key, source=f"--space {request.space}")
    return asked, refused


def _by_default(schema: SchemaTree) -> tuple[str, ...]:
    """What the schema searches: the keys that it lists, else the leaves that it enables."""
    enabled = (key for key, leaf in schema.leaves.items() if leaf.automl_enabled is True)
    return schema.automl_default_parameters or tuple(enabled)


def _profile_set(schema: SchemaTree, profile: Profile) -> dict[str, Asked]:
    if not profile.parameters:
        raise FixInput(
            "--space profile must have a profile that lists parameters",
            got=profile.where or "no references/search_profile.yaml",
            fix="use --space default, or write one",
        )
    for key in profile.parameters:
        check_known(schema, key, profile.where)
    return {key: asked.check() for key, asked in profile.parameters.items()}


def _why_not(schema: SchemaTree, key: str, *, whole: bool) -> str:
    """Why a key of a set is left out; empty if it is searched."""
    leaf = schema.leaves.get(key)
    if leaf is None:
        kind = "a group of settings" if key in schema.groups else "unknown to the schema"
        return f"{kind}, not a single setting"
    if _is_foreign(schema, key):
        return f"belongs to another action than {schema.action}"
    if key in schema.automl_disabled_parameters or leaf.automl_enabled is False:
        return f"disabled by the schema; name it to search it: --search {key}"
    machine = _of_the_machine(leaf)
    if machine:
        return f"{machine}; name it to search it: --search {key}"
    return _no_setting_of_learning(leaf) if whole and not leaf.automl_enabled else ""


def _of_the_machine(leaf: ParameterSchema) -> str:
    """Why a setting of the machine is in no space by itself; empty for any other leaf."""
    words = words_of(leaf.key)
    if leaf.key.rpartition(".")[2].startswith("distributed"):
        words |= _RESOURCES
    return next((reason for names, reason in _OF_THE_MACHINE if words & names), "")


def _is_foreign(schema: SchemaTree, key: str) -> bool:
    block = key.partition(".")[0]
    return block in ACTIONS and block != schema.action


def _no_setting_of_learning(leaf: ParameterSchema) -> str:
    """Why a leaf that ``--space all`` reaches would be searched in vain; empty if it would not."""
    if leaf.key.partition(".")[0] in _LOGGING_BLOCKS:
        return "logging changes nothing that is learnt"
    words = words_of(leaf.key)
    reasons = (reason for names, reason in _NO_SETTING_OF_LEARNING if words & names)
    return next(reasons, "")
