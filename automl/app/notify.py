"""Tells somebody elsewhere how a study goes: at its end, when it stops, at its first failure.

A target is an address, which gets one JSON document by POST, or a command, which gets it on its
standard input. Neither is waited for beyond its time limit, and nothing that goes wrong with one
harms the study; the first failure of each is said.
"""

import json
import shlex
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from automl.app.screen import Ending, Screen, Sight
from automl.errors import AutomlError
from automl.execution.driver import Event, TrialEnded
from automl.reports import words
from automl.settings.secret import concealed, is_address
from automl.study.clock import utc_now
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.records import Outcome, OutcomeState
from automl.study.state import read_state

__all__ = ["SCHEMA", "Notifier", "notified"]

SCHEMA = "automl.notify/1"
_TIMEOUT_S = 10.0
_STOPPED = frozenset({5, 75, 129, 130, 143})
_EVIDENCE = 300


def notified(
    targets: Sequence[str],
    screen: Screen,
    drive: Callable[[Screen], Ending],
    tell: Callable[[str], None],
) -> Ending:
    """Drives a study and tells the targets how it goes.

    Args:
        targets: Addresses and commands; without any nobody is told.
        screen: Who watches here.
        drive: Drives the study while a screen watches.
        tell: Called with a sentence where a target could not be reached.
    """
    if not targets:
        return drive(screen)
    notifier = Notifier(screen, targets, tell)
    try:
        ending = drive(notifier)
    except AutomlError as error:
        notifier.broke(error)
        raise
    notifier.ended(ending)
    return ending


class Notifier:
    """A screen that passes everything on and tells the targets what they should know.

    Args:
        screen: Who watches here.
        targets: Addresses and commands.
        tell: Called with a sentence, once a target, where it could not be reached.
        timeout_s: Seconds that a target may take.
    """

    def __init__(
        self,
        screen: Screen,
        targets: Sequence[str],
        tell: Callable[[str], None],
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._screen = screen
        self._targets = tuple(dict.fromkeys(targets))
        self._tell = tell
        self._timeout_s = timeout_s
        self._paths: StudyPaths | None = None
        self._config: StudyConfig | None = None
        self._has_failed = False
        self._said: set[str] = set()
        self._sending: list[threading.Thread] = []

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Learns which study it is."""
        self._paths, self._config = paths, config
        self._screen.opened(paths, config)

    def event(self, event: Event) -> None:
        """Tells of the first trial that failed; nothing is waited for."""
        self._screen.event(event)
        if self._has_failed or not isinstance(event, TrialEnded):
            return
        outcome = event.outcome
        if outcome.state is OutcomeState.FAILED:
            self._has_failed = True
            self._start({"event": "failure", "text": _failed(outcome), **_trial(outcome)})

    def look(self, sight: Sight) -> None:
        """Passes it on."""
        self._screen.look(sight)

    def ended(self, ending: Ending) -> None:
        """Tells that the study ended or stopped, and waits until everybody was told."""
        event = "stopped" if ending.exit_code in _STOPPED else "ended"
        self._last(event, ending.exit_code, ending.reason)

    def broke(self, error: AutomlError) -> None:
        """Tells that an error ended the study."""
        self._last("stopped", error.exit_code, str(error))

    def _last(self, event: str, exit_code: int, reason: str) -> None:
        value = {"event": event, "text": reason, "exit_code": exit_code, "reason": reason}
        self._start(value)
        for thread in self._sending:
            thread.join(2 * self._timeout_s)

    # Sending

    def _start(self, value: Mapping[str, Any]) -> None:
        document = json.dumps(self._document(value), ensure_ascii=False).encode()
        for target in self._targets:
            thread = threading.Thread(
                target=self._send, args=(target, document), name="notification", daemon=True
            )
            self._sending.append(thread)
            thread.start()

    def _document(self, value: Mapping[str, Any]) -> dict[str, Any]:
        name = "" if self._config is None else self._config.name
        text = f"{name}: {value['text']}" if name else value["text"]
        base = {"schema": SCHEMA, "study": name, "host": socket.gethostname()}
        base["time"] = utc_now().isoformat()
        return {**base, **self._standing(), **value, "text": text}

    def _standing(self) -> dict[str, Any]:
        """Where the study stands by its own snapshot; nothing before there is one."""
        if self._paths is None or self._config is None:
            return {}
        state = read_state(self._paths)
        known: dict[str, Any] = {
            "folder": str(self._paths.folder),
            "metric": self._config.objective.metric,
        }
        if state is not None:
            plain = state.to_json()
            known |= {name: plain[name] for name in ("status", "counts", "trials", "best")}
        return known

    def _send(self, target: str, document: bytes) -> None:
        try:
            if is_address(target):
                _post(target, document, self._timeout_s)
            else:
                _run(target, document, self._timeout_s)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if target not in self._said:
                self._said.add(target)
                why = _why(error)
                self._tell(f"{concealed(target)} was not told: {why}; the study goes on without")


def _post(address: str, document: bytes, timeout_s: float) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "automl"}
    request = urllib.request.Request(  # noqa: S310 -- http and https alone are addresses
        address, document, headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310
        pass


def _run(command: str, document: bytes, timeout_s: float) -> None:
    subprocess.run(
        shlex.split(command),
        input=document,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=timeout_s,
        check=True,
    )


def _why(error: Exception) -> str:
    """What went wrong, in words that name no secret."""
    match error:
        case urllib.error.HTTPError():
            return f"it answered {error.code}"
        case urllib.error.URLError():
            return str(error.reason)
        case TimeoutError() | subprocess.TimeoutExpired():
            return "it did not answer in time"
        case subprocess.CalledProcessError():
            return f"it ended with {error.returncode}"
        case _:
            strerror = error.strerror if isinstance(error, OSError) else None
            return strerror or "it is no address and no command"


def _failed(outcome: Outcome) -> str:
    failure = outcome.failure or outcome.state
    return f"trial {outcome.number} failed ({failure}): {words.one_line(outcome.evidence, 120)}"


def _trial(outcome: Outcome) -> dict[str, Any]:
    failure = None if outcome.failure is None else str(outcome.failure)
    evidence = words.one_line(outcome.evidence, _EVIDENCE)
    return {"trial": {"number": outcome.number, "failure": failure, "evidence": evidence}}
