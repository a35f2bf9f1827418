"""``--data KEY=PATH``: the inputs of any skill, checked, brought here and put into the spec."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from automl.app.study_settings import INPUTS
from automl.data.archive import is_tarball, resolve_source
from automl.data.cache import cache_dir
from automl.data.staging import Transfer, is_remote, stage
from automl.errors import FixInput, InstallExtra
from automl.settings.layers import Settings
from automl.spec.build import BaseSpec
from automl.spec.inputs import checked_inputs, with_inputs

__all__ = ["parse_inputs", "resolved_inputs", "with_given_inputs"]


def with_given_inputs(
    base: BaseSpec, settings: Settings, tell: Callable[[str], None], transfer: Transfer
) -> BaseSpec:
    """The spec with the inputs that were given by key.

    Args:
        base: The spec.
        settings: Every setting.
        tell: Called with a sentence when a transfer begins.
        transfer: Called with how far it is.

    Raises:
        FixInput: A key is none, or nothing of the right kind is at a path.
        InstallExtra: An address needs a package that is not installed.
    """
    origin = settings.origin(INPUTS)
    files = resolved_inputs(settings[INPUTS], origin, tell, transfer)
    given = checked_inputs(base.rules, files, origin)
    if not given:
        return base
    tree = with_inputs(base.tree, given, origin)
    return replace(base, tree=tree, overrides={**base.overrides, **given})


def parse_inputs(texts: Sequence[str], origin: str) -> dict[str, str]:
    """``KEY=PATH`` texts as key to path.

    Raises:
        FixInput: One is written otherwise, or a key is given twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        key, _, path = (part.strip() for part in text.partition("="))
        if not key or not path:
            raise FixInput("an input must be written KEY=PATH", got=repr(text), where=origin)
        if key in given:
            raise FixInput("an input must be given once", got=f"{key} twice", where=origin)
        given[key] = path
    return given


def resolved_inputs(
    texts: Mapping[str, str], origin: str, tell: Callable[[str], None], transfer: Transfer | None
) -> dict[str, Path]:
    """What is there for each input: a tarball's folder, and what was brought for an address.

    Raises:
        FixInput: Nothing is at a path.
        InstallExtra: An address needs a package that is not installed.
    """
    return {key: _resolved(text, f"{origin} {key}", tell, transfer) for key, text in texts.items()}


def _resolved(
    text: str, where: str, tell: Callable[[str], None], transfer: Transfer | None
) -> Path:
    """Absolute path of what is there; a tarball's folder, and what was brought for an address."""
    try:
        if is_remote(text):
            tell(f"{text} is brought from another machine, once")
            text = str(stage(text, cache_dir(), transfer).path)
        path = Path(text).expanduser().absolute()
        if not path.exists():
            raise FixInput("an input must be a file or a folder that exists", got=str(path))
        return resolve_source(str(path), cache_dir()) if is_tarball(path) else path
    except InstallExtra:
        raise
    except FixInput as error:
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error
