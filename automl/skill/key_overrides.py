"""The block ``keys`` of a search profile: what the rules of ``skill.keys`` would get wrong.

::

    keys:
      epochs: train.epoch                                        # one key
      batch_sizes: [train.batch_per_replica, validation.batch]   # several where a role has several
      seed: null                                                 # no setting has this role
"""

from collections.abc import Collection, Mapping
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.keys import TAKES_LIST

__all__ = ["check_keys", "declared_keys"]


def declared_keys(block: Any, where: str) -> dict[str, tuple[str, ...]]:
    """Role to keys, from the block ``keys`` of a search profile.

    A role takes one key, or a list of them where a network may have several; null says that no
    setting has the role.

    Raises:
        FixInput: A role is unknown or holds something else than keys.
    """
    if block is None:
        return {}
    if not isinstance(block, Mapping):
        raise FixInput("keys must be a mapping of roles to keys", got=repr(block), where=where)
    declared: dict[str, tuple[str, ...]] = {}
    for role, value in block.items():
        if role not in TAKES_LIST:
            raise FixInput(
                f"a role under keys must be one of {', '.join(TAKES_LIST)}",
                got=repr(role),
                where=f"{where}: keys",
                fix=did_you_mean(str(role), TAKES_LIST),
            )
        declared[role] = _listed(value, f"{where}: keys.{role}", is_list=TAKES_LIST[role])
    return declared


def _listed(value: Any, where: str, *, is_list: bool) -> tuple[str, ...]:
    if value is None:
        return ()
    keys = value if isinstance(value, list) and is_list else [value]
    if not all(isinstance(key, str) and key for key in keys):
        form = "a list of dotted keys" if is_list else "one dotted key"
        raise FixInput(f"a role must hold {form}", got=repr(value), where=where)
    return tuple(keys)


def check_keys(
    declared: Mapping[str, tuple[str, ...]], settings: Collection[str], where: str
) -> None:
    """Refuses a key that a profile declares and the schema does not know.

    Raises:
        FixInput: There is one; the error names the nearest that there is.
    """
    for role, keys in declared.items():
        for key in keys:
            known = any(name == key or (role == "optimizer" and name.startswith(key))
                        for name in settings)  # fmt: skip
            if settings and not known:
                raise FixInput(
                    "a key in a search profile must be a setting of the train schema",
                    got=key,
                    where=f"{where}: keys.{role}",
                    fix=did_you_mean(key, settings),
                )
