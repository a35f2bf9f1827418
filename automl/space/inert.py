"""Parameters that cannot change the outcome under the other values of a study."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from automl.skill.profile import InertRule
from automl.skill.tree import get
from automl.skill.typewords import number_of
from automl.space.model import Inert

__all__ = ["find_inert"]

#: Where offered milestones stand, as shares of the training: the last two fifths and sixth.
_FIRST_SHARE, _LAST_SHARE = 0.6, 0.84
_SOME_ENTRIES = re.compile(r"\[\.\.\.\]")


def find_inert(
    rules: tuple[InertRule, ...],
    spec: Mapping[str, Any],
    searched: Collection[str],
    forced: Collection[str],
) -> tuple[Inert, ...]:
    """The searched parameters that change nothing, each with its reason and its fix.

    A rule that looks at another searched parameter is passed over: the parameter has an effect in
    some of the trials.

    Args:
        rules: The rules of the skill's profile.
        spec: The base spec.
        searched: Dotted keys that are to be searched.
        forced: Dotted keys that the user named; they are searched all the same.
    """
    left, inert = set(searched), dict[str, Inert]()
    while True:
        more = {
            rule.key: Inert(rule.key, rule.reason, _filled(rule, spec))
            for rule in rules
            if rule.key in left - set(forced)
            and not (rule.when.keys - {rule.key}) & left
            and rule.when.holds(spec)
        }
        if not more:
            return tuple(inert.values())
        # What is left out keeps its base value, which may leave others without effect.
        inert |= more
        left -= more.keys()


def _filled(rule: InertRule, spec: Mapping[str, Any]) -> str:
    """The fix, in which ``[...]`` stands for entries that fit this spec."""
    argument = rule.when.tests.get("all_at_or_beyond")
    if argument is None or not _SOME_ENTRIES.search(rule.fix):
        return rule.fix
    entries = get(spec, str(argument["list"]), [])
    limit = number_of(get(spec, str(argument["limit"]), argument["limit"])) or 0
    offer = milestones(len(entries), int(limit))
    return _SOME_ENTRIES.sub(f"[{','.join(map(str, offer))}]", rule.fix)


def milestones(count: int, limit: int) -> list[int]:
    """Up to ``count`` rising whole numbers below ``limit``, late in a training of that length.

    >>> milestones(2, 30)
    [18, 25]
    """
    if limit < 2:
        return []
    gaps = max(count - 1, 1)
    shares = [_FIRST_SHARE + (_LAST_SHARE - _FIRST_SHARE) * place / gaps for place in range(count)]
    return sorted({min(max(1, int(share * limit + 1e-9)), limit - 1) for share in shares})
