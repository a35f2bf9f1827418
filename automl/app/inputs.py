"""``--data KEY=PATH``: the inputs of any skill, checked, brought here and put into the spec."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from automl.app.study_settings import INPUTS
from automl.data.archive import is_tarball, resolve_source
from automl.data.cache import cache_dir
from automl.data.staging import Transfer, is_remote, stage
from automl.errors import FixInput, InstallExtra
from automl.settings.layers import Settings
from automl.spec.build import BaseSpec
from automl.spec.inputs import check_kind, long_input_key, with_inputs

__all__ = ["with_given_inputs"]


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
    given: dict[str, str] = {}
    origin = settings.origin(INPUTS)
    for key, text in settings[INPUTS].items():
        where = f"{origin} {key}"
        long = long_input_key(base.rules, key, where)
        path = _resolved(text, where, tell, transfer)
        check_kind(base.rules, long, path, where)
        given[long] = str(path)
    if not given:
        return base
    tree = with_inputs(base.tree, given, origin)
    return replace(base, tree=tree, overrides={**base.overrides, **given})


def _resolved(text: str, where: str, tell: Callable[[str], None], transfer: Transfer) -> Path:
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
