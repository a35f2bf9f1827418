"""The address of a database, as it may be written down: without a password."""

from urllib.parse import unquote, urlsplit, urlunsplit

from automl.errors import FixInput

__all__ = ["PASSWORD_VARIABLE", "connect_url", "database_url", "parted"]

#: Where PostgreSQL's own programs look for a password too.
PASSWORD_VARIABLE = "PGPASSWORD"  # noqa: S105 -- the name of a variable
_DRIVER = "postgresql+psycopg"
_SCHEMES = ("postgresql", "postgres", _DRIVER)
_LOCAL = "sqlite"


def parted(url: str) -> tuple[str, str | None]:
    """An address without its password, and the password; None for none.

    Args:
        url: As it was given, an address or anything else.
    """
    try:
        parts = urlsplit(url)
        if parts.password is None:
            return url, None
    except ValueError:
        return url, None
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}")), unquote(parts.password)


def database_url(url: str, where: str) -> str:
    """An address that a study may keep.

    Args:
        url: ``postgresql://USER@HOST[:PORT]/DATABASE``.
        where: The flag or the study file that it stands in.

    Raises:
        FixInput: It is no address of PostgreSQL, names no database, or holds a password.
    """
    bare, password = parted(url)
    if password is not None:
        raise FixInput(
            "the password of a database must not be written down",
            got=bare.replace("@", ":...@", 1),
            where=where,
            fix=f"put it into {PASSWORD_VARIABLE} or into ~/.pgpass",
        )
    try:
        parts = urlsplit(url)
        known, path = parts.scheme in _SCHEMES and parts.port != 0, parts.path
    except ValueError:
        known, path = False, ""
    if not known or len(path) < 2:
        raise FixInput(
            "the storage of a study must be a database of PostgreSQL",
            got=url,
            where=where,
            fix="write it as postgresql://USER@HOST:PORT/DATABASE, "
            "or leave it out: the study then keeps a journal in its own folder",
        )
    return f"postgresql://{url.partition('://')[2]}"


def connect_url(url: str) -> str:
    """The address as SQLAlchemy takes it, with the driver that this program installs."""
    scheme, separator, rest = url.partition("://")
    return f"{_DRIVER}{separator}{rest}" if scheme in _SCHEMES else url
