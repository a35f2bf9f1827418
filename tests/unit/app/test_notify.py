"""Notifications, received by a real server and by real commands."""

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from automl.app import run
from automl.app.notify import Notifier, notified
from automl.app.plan import Plan
from automl.app.screen import Ending, Silent
from automl.errors import PrepareMachine
from automl.execution import ray_driver, serial
from automl.settings.secret import concealed, concealing
from automl.study.layout import StudyPaths
from tests.unit.app.kit import MakePlan

#: Whole studies are driven here, reports included.
pytestmark = pytest.mark.timeout(30)

SCRIPT = "script:\n  epoch_s: 0.0\n  bowls: {train.optim.lr: {best: 1e-3}}\n"
SHORT = ("--set", "train.num_epochs=2", "--name", "bikes", "--sampler", "random")
HIDDEN_PART = "T00/B00/XXXXsecretXXXX"


@dataclass
class Server:
    """A local server that keeps what is posted to it.

    Attributes:
        address: Where it listens.
        got: The documents, in order.
        answer: The status that it answers with.
        hold: Keeps every request waiting until it is set.
    """

    address: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    kinds: list[str | None] = field(default_factory=list)
    answer: int = 200
    hold: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    state.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.hold.wait(5)
            length = int(self.headers["Content-Length"])
            state.got.append(json.loads(self.rfile.read(length)))
            state.kinds.append(self.headers["Content-Type"])
            self.send_response(state.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    state.address = f"http://127.0.0.1:{listening.server_port}/services/{HIDDEN_PART}"
    yield state
    state.hold.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def search(plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """A short search of scripted trials, one at a time in this process."""
    monkeypatch.setattr(ray_driver, "drive", serial.drive)

    def make(*argv: str, faults: str = "{}", file: str = "") -> Plan:
        return plan(*SHORT, *argv, file=f"{SCRIPT}  faults: {faults}\n{file}")

    return make


def drive(plan: Plan, said: list[str]) -> Ending:
    return notified(plan.notify, Silent(), lambda screen: run.start(plan, screen), said.append)


def test_the_first_failure_and_the_end_are_told(
    search: Callable[..., Plan], server: Server
) -> None:
    faults = "{1: {kind: crash}, 2: {kind: nan}}"
    said: list[str] = []
    drive(search("--trials", "4", "--notify", server.address, faults=faults), said)
    assert said == []
    by_event = {each["event"]: each for each in server.got}
    assert len(server.got) == 2
    failure, end = by_event["failure"], by_event["ended"]
    assert {each["schema"] for each in server.got} == {"automl.notify/1"}
    assert failure["trial"]["number"] == 1
    assert failure["text"].startswith("bikes: trial 1 failed (unknown): ")
    assert (end["exit_code"], end["status"], end["study"]) == (0, "finished", "bikes")
    assert end["counts"] == {"complete": 2, "failed": 2}
    assert end["best"]["value"] > 0
    assert server.kinds[0] == "application/json; charset=utf-8"


def test_a_stop_is_told(search: Callable[..., Plan], server: Server, studies_dir: Path) -> None:
    made = search("--trials", "9", "--same-failures", "2", "--notify", server.address,
                  faults="{1: {kind: crash}, 2: {kind: crash}, 3: {kind: crash}}")  # fmt: skip
    assert drive(made, []).exit_code == 5
    (end,) = [each for each in server.got if each["event"] != "failure"]
    assert (end["event"], end["exit_code"]) == ("stopped", 5)
    assert end["folder"] == str(studies_dir / "bikes")


def test_an_error_that_ends_the_study_is_told(server: Server) -> None:
    def fail(_: object) -> Ending:
        raise PrepareMachine("a study needs space on its disk", got="none left")

    with pytest.raises(PrepareMachine):
        notified((server.address,), Silent(), fail, lambda _: None)
    assert [(each["event"], each["exit_code"]) for each in server.got] == [("stopped", 3)]
    assert "none left" in server.got[0]["text"]


def test_a_requirement_that_is_not_met_is_told_as_an_end(
    search: Callable[..., Plan], server: Server
) -> None:
    made = search("--trials", "2", "--require", "best > 2", "--notify", server.address)
    ending = drive(made, [])
    assert ending.exit_code == 6
    assert server.got[0]["event"] == "ended"
    assert "best > 2 does not hold" in server.got[0]["reason"]


def test_a_command_gets_the_document_on_its_standard_input(
    search: Callable[..., Plan], tmp_path: Path
) -> None:
    out = tmp_path / "told.json"
    code = f"import sys, pathlib; pathlib.Path({str(out)!r}).write_text(sys.stdin.read())"
    command = shlex.join([sys.executable, "-c", code])
    said: list[str] = []
    drive(search("--trials", "1", "--notify", command), said)
    assert said == []
    assert json.loads(out.read_text())["event"] == "ended"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://127.0.0.1:9/hook/secret", "Connection refused"),
        ("no-such-program secret", "No such file or directory"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "it ended with 3"),
        ("http://[broken/secret", "it is no address and no command"),
    ],
)
def test_what_cannot_be_told_is_said_once_and_harms_nothing(
    search: Callable[..., Plan], target: str, why: str
) -> None:
    said: list[str] = []
    made = search("--trials", "2", "--notify", target, faults="{1: {kind: crash}}")
    assert drive(made, said).exit_code == 0
    (text,) = said
    assert why in text
    assert "secret" not in text
    assert text.endswith("the study goes on without")


def test_an_answer_that_is_an_error_is_said(search: Callable[..., Plan], server: Server) -> None:
    server.answer = 500
    said: list[str] = []
    drive(search("--trials", "1", "--notify", server.address), said)
    (text,) = said
    assert "it answered 500" in text
    assert HIDDEN_PART not in text


def test_a_server_that_does_not_answer_is_not_waited_for_long(server: Server) -> None:
    server.hold.clear()
    said: list[str] = []
    notifier = Notifier(Silent(), (server.address,), said.append, timeout_s=0.1)
    notifier.ended(Ending(0, "every trial has ended", StudyPaths(Path())))
    assert "it did not answer in time" in said[0]


def test_nothing_keeps_the_secret(
    search: Callable[..., Plan], server: Server, studies_dir: Path
) -> None:
    made = search("--trials", "1", "--notify", server.address,
                  file=f"notify: [{server.address}]\n")  # fmt: skip
    drive(made, [])
    assert server.got
    files = [path for path in (studies_dir / "bikes").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if HIDDEN_PART.encode() in path.read_bytes()] == []
    request = (studies_dir / "bikes" / "study.yaml").read_text()
    assert "http://127.0.0.1:" in request


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://hooks.example.org/services/T/B/x?token=y", "https://hooks.example.org/***"),
        ("https://user:pass@example.org:8443/a", "https://example.org:8443/***"),
        ("http://[broken", "***"),
        ("curl -d @- https://example.org/x", "curl ***"),
        ("notify-me", "notify-me"),
        ("'open", "***"),
    ],
)
def test_what_may_be_read_of_a_target(text: str, shown: str) -> None:
    assert concealed(text) == shown
    assert concealing([text])(f"--notify={text} --trials 3") == f"--notify={shown} --trials 3"
