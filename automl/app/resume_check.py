"""What the new settings of a training are against those that its checkpoint was trained with."""

from collections.abc import Iterator, Mapping
from typing import Any

from automl.app.resume_point import ResumePoint
from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.skill.tree import MISSING, get, leaves, whole_number
from automl.spec.build import BaseSpec
from automl.spec.inferred import pretrained_settings

__all__ = ["check_resume"]

_MODEL = "model"  # the block that says what the network is
_SHOWN = 6  # differences in one sentence


def check_resume(point: ResumePoint, base: BaseSpec) -> tuple[str, ...]:
    """Sentences about a training that goes on from a checkpoint.

    Args:
        point: The checkpoint.
        base: The spec of the new training.

    Raises:
        FixInput: The spec takes no checkpoint, has no epoch left, or is of another network.
    """
    if not base.keys.resume:
        raise FixInput(
            "to go on from a checkpoint, the skill must have a setting that takes it",
            got="none",
            where=str(base.rules.skill.folder),
            fix="start from the weights alone with --parent-checkpoint",
        )
    _check_length(point, base)
    return tuple(_sentences(point, base))


def _check_length(point: ResumePoint, base: BaseSpec) -> None:
    """Refuses a training that has nothing left to do: epochs count from its very start."""
    key, name = base.keys.epochs, point.name
    epochs = whole_number(base.tree, key) if key else None
    if name is None or epochs is None:
        return
    ended = name.epoch + 1
    is_within_epoch = bool(name.step % ended)
    if epochs > ended or (epochs == ended and is_within_epoch):
        return
    raise FixInput(
        f"{key} counts from the start of the training, not from the checkpoint",
        got=f"{epochs}, and the checkpoint is of epoch {name.epoch}, counted from 0",
        where=point.path,
        fix=f"--set {key}={2 * ended} trains {ended} more",
    )


def _sentences(point: ResumePoint, base: BaseSpec) -> Iterator[str]:
    parent, name = point.parent, point.name
    epoch = "" if name is None else f" after epoch {name.epoch}, counted from 0,"
    said = f" ({parent.origin.said})" if parent.origin.said else ""
    yield f"the training goes on{epoch} from {point.path}{said}"
    if parent.spec is None:
        yield "no spec lies beside that checkpoint: whether the settings fit it is not known"
        return
    differing = dict(_differences(parent.spec, base))
    _check_network(point, differing, base)
    held = [key for key in differing if _is_held(key, base.keys)]
    changed = [differing[key] for key in differing if key not in held]
    if held:
        texts = _few([differing[key] for key in held])
        yield f"{texts}: without effect, since optimiser, schedule and seed are the checkpoint's"
    yield (
        f"settings other than those of the checkpoint: {_few(changed)}"
        if changed
        else "the settings are those that the checkpoint was trained with"
    )


def _differences(old: Mapping[str, Any], base: BaseSpec) -> Iterator[tuple[str, str]]:
    """Each setting of the two specs that differs, in words, but for those of every attempt."""
    keys = base.keys
    own = {*keys.results, *keys.resume, *pretrained_settings(base.rules)}
    names = dict.fromkeys([*(key for key, _ in leaves(base.tree)), *(k for k, _ in leaves(old))])
    for key in names:
        before, after = get(old, key, MISSING), get(base.tree, key, MISSING)
        if key not in own and before != after and not (_is_empty(before) and _is_empty(after)):
            yield key, f"{key} {_shown(before)} -> {_shown(after)}"


def _is_empty(value: Any) -> bool:
    return value is MISSING or value in (None, "")


def _shown(value: Any) -> str:
    return "not set" if _is_empty(value) else str(value)


def _is_held(key: str, keys: NetworkKeys) -> bool:
    """Whether the checkpoint brings the value of a setting with it."""
    return key == keys.seed or bool(keys.optimizer and key.startswith(keys.optimizer))


def _check_network(point: ResumePoint, differing: Mapping[str, str], base: BaseSpec) -> None:
    of_model = [text for key, text in differing.items() if key.partition(".")[0] == _MODEL]
    if of_model:
        raise FixInput(
            "a training goes on with the network that is in its checkpoint",
            got=_few(of_model),
            where=f"{base.source} against {point.path}",
            fix="leave these settings as they were",
        )


def _few(texts: list[str]) -> str:
    rest = f", and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + rest
