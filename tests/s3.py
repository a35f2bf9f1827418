"""A real S3 server on this machine, and an empty bucket of it, as fixtures."""

from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest

__all__ = ["BUCKET", "SECRET", "bucket_at", "s3_bucket", "s3_endpoint", "s3_server"]

BUCKET = "bikes"
SECRET = "not-to-be-written-down"  # noqa: S105 -- made up


@contextmanager
def s3_server(address: str) -> Iterator[str]:
    """A server at an address of this machine; where it answers."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield f"http://{address}:{port}"
    finally:
        server.stop()


@contextmanager
def bucket_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, its credentials in the environment alone; its address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    system.mkdir(BUCKET)
    try:
        yield f"s3://{BUCKET}"
        system.rm(BUCKET, recursive=True)
    finally:
        fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """Where a server on loopback answers."""
    with s3_server("127.0.0.1") as endpoint:
        yield endpoint


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket of it."""
    with bucket_at(s3_endpoint, monkeypatch) as address:
        yield address
