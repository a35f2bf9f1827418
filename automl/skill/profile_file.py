"""Reading a search profile, ``references/search_profile.yaml``; every block may be absent.

::

    objective: {metric: val_3DIoU, direction: maximize, worst: 0.0}
    keys:                           # which settings mean what, where the rules of skill.keys fail
      epochs: train.rounds          # the roles are the fields of skill.keys.NetworkKeys
    parameters:                     # what --space profile searches
      train.optim.lr: {low: 6.0e-06, high: 6.0e-04, log: true, reason: ...}
      train.optim.lr_steps: {low: 0.4, high: 0.95, fraction_of: train.num_epochs, reason: ...}
      dataset.flip: {choices: [0.1, 0.5], reason: ...}
    prior:                          # where good values are expected, if not round the default
      train.optim.lr: {centre: 1.0e-4, width: 0.5, reason: ...}   # a log scale: width in decades
      dataset.flip: {centre: 0.3, width: 0.1}                     # a linear one: in its own unit
      dataset.batch_size: {width: 0.2}        # a choice: the share of all other options together
    inert:                          # searched in vain while the condition holds
      - {key: ..., when: {...}, reason: ..., fix: ...}
    ignored:                        # settings that nothing reads: a change of one is reported
      - {key: ..., reason: ..., fix: ...}
    repeats:                        # settings of other actions that take one of the training's
      export.input_width: dataset.input_res
    settings:                       # settings that cannot work, or that surprise
      - {key: ..., when: {...}, verdict: refuse, reason: ..., fix: ..., trainers: [docker]}
    signals:                        # what a trial may be judged by before its objective shows
      - {metric: train_loss, better: lower, within: [train.loss_config]}
    metrics: {from: csv, file: results.csv}   # where metrics are read, if not in status.json
    added:                          # settings that a trainer reads and no schema of TAO's has
      train.checkpoint_format: {choices: [own, tao], reason: ...}

The conditions are those of ``automl.skill.when``, the signals those of ``automl.skill.signals``,
the sources of metrics those of ``automl.skill.metric_source``; ``objective`` and ``keys`` are
read with the skill itself.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.asked import Asked
from automl.skill.metric_source import read_metric_source
from automl.skill.profile import Belief, InertRule, Profile, RuleVerdict, SettingRule
from automl.skill.signals import read_signals
from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.skill.when import read_when
from automl.yamltext import load_yaml

__all__ = ["load_profile", "read_profile"]

_BLOCKS = (
    "objective",
    "keys",
    "parameters",
    "prior",
    "inert",
    "ignored",
    "repeats",
    "settings",
    "signals",
    "metrics",
    "added",
)


def load_profile(path: Path) -> Profile:
    """The profile in a file; an empty one if there is no such file.

    Raises:
        FixInput: The file is broken or breaks a rule of the format.
    """
    return read_profile(load_yaml(path), str(path)) if path.is_file() else Profile()


def read_profile(tree: Any, where: str) -> Profile:
    """The profile that ``tree`` holds; blocks that it lacks are empty.

    Raises:
        FixInput: A block is unknown or has the wrong shape, or a rule holds an unknown word.
    """
    if tree is None:
        tree = {}
    if not isinstance(tree, Mapping):
        raise FixInput("a search profile must be a mapping", got=type(tree).__name__, where=where)
    _check_names(tree, "a search profile", _BLOCKS, where)
    return Profile(
        {entry.key: entry for entry in _entries(tree.get("parameters"), where)},
        tuple(_inert(rule, place) for rule, place in _rules(tree, "inert", where)),
        (
            *(_ignored(rule, place) for rule, place in _rules(tree, "ignored", where)),
            *(_setting(rule, place) for rule, place in _rules(tree, "settings", where)),
        ),
        _repeats(tree.get("repeats"), where),
        dict(_beliefs(tree.get("prior"), where)),
        read_signals(tree.get("signals"), where),
        read_metric_source(tree["metrics"], where) if tree.get("metrics") is not None else None,
        _added(tree.get("added"), where),
        where,
    )


def _is_number(value: Any) -> bool:
    return number_of(value) is not None and abs(value) != float("inf")


#: The words of a parameter, each with what it holds.
_ENTRY_WORDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "low": (_is_number, "a finite number"),
    "high": (_is_number, "a finite number"),
    "log": (lambda value: isinstance(value, bool), "true or false"),
    "choices": (lambda value: isinstance(value, list) and bool(value), "a list of options"),
    "weights": (
        lambda value: isinstance(value, list) and all(map(_is_number, value)),
        "a list of numbers",
    ),
    "fraction_of": (lambda value: isinstance(value, str), "the key of a setting"),
    "reason": (lambda value: isinstance(value, str), "text"),
}


def _entries(block: Any, where: str) -> Iterator[Asked]:
    if block is None:
        return
    if not isinstance(block, Mapping):
        raise FixInput("parameters must be a mapping of keys", got=repr(block), where=where)
    for key, value in block.items():
        place = f"{where}: parameters.{key}"
        words = _words(value if value is not None else {}, tuple(_ENTRY_WORDS), place)
        words = {name: held for name, held in words.items() if held is not None}
        for name, held in words.items():
            fits, form = _ENTRY_WORDS[name]
            if not fits(held):
                raise FixInput(f"{name} must be {form}", got=repr(held), where=place)
        words |= {name: tuple(words[name]) for name in ("choices", "weights") if name in words}
        reason = words.pop("reason", "")
        yield Asked(str(key), **words, source=f"profile: {reason}" if reason else "profile")


def _beliefs(block: Any, where: str) -> Iterator[tuple[str, Belief]]:
    if block is None:
        return
    if not isinstance(block, Mapping):
        raise FixInput("prior must be a mapping of keys", got=repr(block), where=where)
    for key, value in block.items():
        place = f"{where}: prior.{key}"
        words = _words(value, ("centre", "width", "reason"), place)
        width = words.get("width")
        if width is not None and not (_is_number(width) and width > 0):
            raise FixInput("width must be a number above 0", got=repr(width), where=place)
        if words.get("centre") is None and width is None:
            raise FixInput("a belief must have centre or width", got="neither", where=place)
        yield str(key), Belief(words.get("centre"), None if width is None else float(width))


def _rules(tree: Mapping[str, Any], block: str, where: str) -> Iterator[tuple[Any, str]]:
    rules = tree.get(block)
    if rules is not None and not isinstance(rules, list):
        raise FixInput(f"{block} must be a list of rules", got=repr(rules), where=where)
    for index, rule in enumerate(rules or ()):
        yield rule, f"{where}: {block}[{index}]"


def _inert(rule: Any, where: str) -> InertRule:
    words = _words(rule, ("key", "when", "reason", "fix"), where, ("key", "reason"))
    key = str(words["key"])
    when = read_when(words.get("when"), key, where)
    return InertRule(key, when, str(words["reason"]), str(words.get("fix", "")))


def _ignored(rule: Any, where: str) -> SettingRule:
    words = _words(rule, ("key", "when", "reason", "fix"), where, ("key", "reason"))
    key = str(words["key"])
    when = read_when(words.get("when"), key, where)
    fix = str(words.get("fix", ""))
    return SettingRule(key, when, RuleVerdict.WARN, str(words["reason"]), fix, unless_default=True)


_SETTING_WORDS = ("key", "when", "verdict", "reason", "fix", "trainers")


def _setting(rule: Any, where: str) -> SettingRule:
    words = _words(rule, _SETTING_WORDS, where, ("key", "when", "verdict", "reason"))
    if words["verdict"] not in tuple(RuleVerdict):
        raise FixInput("a verdict must be refuse or warn", got=repr(words["verdict"]), where=where)
    key = str(words["key"])
    return SettingRule(
        key,
        read_when(words["when"], key, where),
        RuleVerdict(words["verdict"]),
        str(words["reason"]),
        str(words.get("fix", "")),
        _trainers(words.get("trainers"), where),
    )


def _repeats(block: Any, where: str) -> dict[str, str]:
    if block is None:
        return {}
    if not isinstance(block, Mapping) or not all(isinstance(key, str) for key in block.values()):
        raise FixInput("repeats must be a mapping of keys to keys", got=repr(block), where=where)
    return {str(key): source for key, source in block.items()}


def _trainers(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FixInput("trainers must be a list of names", got=repr(value), where=where)
    return tuple(value)


def _words(
    value: Any, known: tuple[str, ...], where: str, needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise FixInput("a rule must be a mapping", got=repr(value), where=where)
    _check_names(value, "a rule", known, where)
    missing = [name for name in needed if name not in value]
    if missing:
        raise FixInput(
            f"a rule must have {', '.join(needed)}", got=f"no {missing[0]}", where=where
        )
    return dict(value)


def _check_names(value: Mapping[Any, Any], what: str, known: tuple[str, ...], where: str) -> None:
    unknown = [str(name) for name in value if name not in known]
    if unknown:
        raise FixInput(
            f"{what} may hold {', '.join(known)}",
            got=unknown[0],
            where=where,
            fix=did_you_mean(unknown[0], known),
        )


def _added(block: Any, where: str) -> dict[str, tuple[ParamValue, ...]]:
    return {each.key: tuple(each.choices or ()) for each in _entries(block, where)}
