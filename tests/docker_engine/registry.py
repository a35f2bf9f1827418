"""A registry of one small image: as much of its protocol as a pull needs."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["SmallRegistry", "small_registry"]

_TYPES = "application/vnd.docker"
_NAME = "tiny"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer() -> bytes:
    text, packed = b"small\n", io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("small.txt")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


@dataclass
class SmallRegistry:
    """The image, as a registry hands it out.

    Attributes:
        port: Where it listens on 127.0.0.1.
        blobs: Digest to content.
        manifest: What names the blobs.
        n_asked: How often the image was asked for.
    """

    port: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifest: bytes = b""
    n_asked: int = 0

    def __post_init__(self) -> None:
        layer = _layer()
        about = {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
        config, packed = json.dumps(about).encode(), gzip.compress(layer, mtime=0)
        self.blobs = {_digest(each): each for each in (config, packed)}

        def named(content: bytes, kind: str) -> dict[str, object]:
            return {"mediaType": kind, "size": len(content), "digest": _digest(content)}

        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{_TYPES}.distribution.manifest.v2+json",
                "config": named(config, f"{_TYPES}.container.image.v1+json"),
                "layers": [named(packed, f"{_TYPES}.image.rootfs.diff.tar.gzip")],
            }
        ).encode()

    @property
    def image(self) -> str:
        """The image's name, as an engine of this machine reaches it."""
        return f"127.0.0.1:{self.port}/{_NAME}:1"

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """Content and kind of what lies at a path; None where nothing does."""
        if path == "/v2/":
            return b"{}", "application/json"
        *_, kind, name = path.split("/")
        if kind == "manifests":
            self.n_asked += name == "1"
            return self.manifest, f"{_TYPES}.distribution.manifest.v2+json"
        return (self.blobs[name], "application/octet-stream") if name in self.blobs else None


@contextmanager
def small_registry() -> Iterator[SmallRegistry]:
    """A registry that runs while the block does."""
    registry = SmallRegistry()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = registry.answer(self.path)
            content, kind = found or (b"", "text/plain")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 -- the library's name for it

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    registry.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
