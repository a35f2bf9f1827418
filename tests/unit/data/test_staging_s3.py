"""Data in a bucket, brought from a server that speaks S3."""

import os
import socket
from pathlib import Path

import fsspec
import pytest

from automl.data.archive import resolve_source
from automl.data.staging import stage
from automl.errors import FixInput, PrepareMachine
from tests.s3 import SECRET


def test_a_folder_of_a_bucket_is_brought_once(s3_bucket: str, tmp_path: Path) -> None:
    store = fsspec.filesystem("s3")
    store.pipe({f"bikes/train/seq/{n:05d}.png": bytes([n]) * 9 for n in range(5)})
    told: list[int] = []
    staged = stage(f"{s3_bucket}/train", tmp_path, lambda done, _: told.append(done))
    assert sorted(path.name for path in staged.path.rglob("*.png")) == [
        f"{n:05d}.png" for n in range(5)
    ]
    assert told == [9, 18, 27, 36, 45]
    assert stage(f"{s3_bucket}/train", tmp_path, lambda done, _: told.append(done)) == staged
    assert len(told) == 5


def test_a_tarball_of_a_bucket_has_its_etag(s3_bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("s3").pipe("bikes/train.tar", b"abc")
    assert stage(f"{s3_bucket}/train.tar", tmp_path).mark == "900150983cd24fb0d6963f7d28e17f72"


def test_nothing_there(s3_bucket: str, tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="nothing at"):
        resolve_source(f"{s3_bucket}/nowhere/train.tar.gz", tmp_path)
    with pytest.raises(FixInput, match="nothing at"):
        resolve_source("s3://no-such-bucket-here/train", tmp_path)


def test_credentials_are_nowhere_on_disk(s3_bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("s3").pipe("bikes/train.tar", b"abc")
    stage(f"{s3_bucket}/train.tar", tmp_path)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept


def test_a_store_that_nobody_reaches_is_the_machine_s_affair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3 = fsspec.get_filesystem_class("s3")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        s3.clear_instance_cache()
        with pytest.raises(PrepareMachine, match="must be reachable from this machine"):
            stage("s3://bikes/train.tar", tmp_path)
    s3.clear_instance_cache()


def test_without_credentials_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(FixInput, match="credentials through the environment"):
        stage("s3://a-bucket/train.tar.gz", tmp_path / "cache")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
