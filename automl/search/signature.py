"""What a study was started as: the format of its records, and the digest of its search space."""

import optuna

from automl.errors import ResolveConflict
from automl.study import attributes

__all__ = ["sign_study"]


def sign_study(study: optuna.Study, space_digest: str, name: str) -> None:
    """Signs a new study, and makes sure that a known one is what it was.

    Args:
        study: The study.
        space_digest: Digest of the search space that is asked for.
        name: What the study is called, for errors.

    Raises:
        ResolveConflict: The study was started with another search space, or by a version of this
            program that wrote it in another way.
    """
    known = study.user_attrs
    written = known.get(attributes.FORMAT, attributes.CURRENT_FORMAT)
    if written != attributes.CURRENT_FORMAT:
        raise ResolveConflict(
            f"a study must have the format {attributes.CURRENT_FORMAT}",
            got=f"format {written}",
            where=name,
            fix="use the version of automl that started the study",
        )
    digest = known.get(attributes.SPACE_DIGEST)
    if digest is None:
        study.set_user_attr(attributes.FORMAT, attributes.CURRENT_FORMAT)
        study.set_user_attr(attributes.SPACE_DIGEST, space_digest)
    elif digest != space_digest:
        raise ResolveConflict(
            "a study must keep the search space that it was started with",
            got="another search space",
            where=name,
            fix="start a new study for the new space",
        )
