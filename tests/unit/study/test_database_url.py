"""Addresses of databases: what is taken, what is refused, and that no password is kept."""

import argparse
import os

import pytest

from automl.cli.database_flags import take_password
from automl.errors import FixInput
from automl.study.database_url import PASSWORD_VARIABLE, connect_url, database_url, parted


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("postgresql://me@db.lab:5433/studies", "postgresql://me@db.lab:5433/studies"),
        ("postgres://me@db.lab/studies", "postgresql://me@db.lab/studies"),
        ("postgresql+psycopg://me@db.lab/studies", "postgresql://me@db.lab/studies"),
        ("postgresql:///studies?host=/run/pg", "postgresql:///studies?host=/run/pg"),
    ],
)
def test_an_address_is_kept_in_one_form(url: str, kept: str) -> None:
    assert database_url(url, "--storage") == kept
    assert connect_url(kept).startswith("postgresql+psycopg://")


@pytest.mark.parametrize(
    "url", ["studies.db", "mysql://me@db/studies", "postgresql://me@db", "postgresql://me@db:x/s"]
)
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(FixInput, match="must be a database of PostgreSQL"):
        database_url(url, "--storage")


def test_a_password_in_a_study_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(FixInput, match="must not be written down") as error:
        database_url("postgresql://me:sesame@db.lab/studies", "study.yaml")
    assert "sesame" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("postgresql://me:a%40b@db:1/s", "postgresql://me@db:1/s", "a@b"),
        ("postgresql://me:@db/s", "postgresql://me@db/s", ""),
        ("postgresql://me@db/s", "postgresql://me@db/s", None),
        ("not an address", "not an address", None),
    ],
)
def test_a_password_is_parted_from_its_address(url: str, bare: str, password: str | None) -> None:
    assert parted(url) == (bare, password)


def test_a_password_leaves_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    url = "postgresql://me:sesame@db/s"
    arguments = argparse.Namespace(storage=url)
    command = take_password(arguments, ["automl", "run", f"--storage={url}"])
    assert command == ("automl", "run", "--storage=postgresql://me@db/s")
    assert arguments.storage == "postgresql://me@db/s"
    assert os.environ[PASSWORD_VARIABLE] == "sesame"
