"""Data in a bucket, brought from a server that speaks S3."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from automl.data.archive import resolve_source
from automl.data.staging import stage
from automl.errors import FixInput, PrepareMachine

SECRET = "not-to-be-written-down"  # noqa: S105 -- made up


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, its credentials in the environment alone."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    store = fsspec.filesystem("s3", skip_instance_cache=True)
    store.mkdir("bikes")
    yield "s3://bikes"
    store.rm("bikes", recursive=True)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_a_folder_of_a_bucket_is_brought_once(bucket: str, tmp_path: Path) -> None:
    store = fsspec.filesystem("s3")
    store.pipe({f"bikes/train/seq/{n:05d}.png": bytes([n]) * 9 for n in range(5)})
    told: list[int] = []
    staged = stage(f"{bucket}/train", tmp_path, lambda done, _: told.append(done))
    assert sorted(path.name for path in staged.path.rglob("*.png")) == [
        f"{n:05d}.png" for n in range(5)
    ]
    assert told == [9, 18, 27, 36, 45]
    assert stage(f"{bucket}/train", tmp_path, lambda done, _: told.append(done)) == staged
    assert len(told) == 5


def test_a_tarball_of_a_bucket_has_its_etag(bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("s3").pipe("bikes/train.tar", b"abc")
    assert stage(f"{bucket}/train.tar", tmp_path).mark == "900150983cd24fb0d6963f7d28e17f72"


def test_nothing_there(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="nothing at"):
        resolve_source(f"{bucket}/nowhere/train.tar.gz", tmp_path)
    with pytest.raises(FixInput, match="nothing at"):
        resolve_source("s3://no-such-bucket-here/train", tmp_path)


def test_credentials_are_nowhere_on_disk(bucket: str, tmp_path: Path) -> None:
    fsspec.filesystem("s3").pipe("bikes/train.tar", b"abc")
    stage(f"{bucket}/train.tar", tmp_path)
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
