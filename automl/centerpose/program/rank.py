"""One process of a training on several devices; started by ``launcher``, never by hand.

Usage::

    LOCAL_RANK=... WORLD_SIZE=... python -m automl.centerpose.program.rank SPEC FOLDER DESCRIPTOR

It reads the number of a signal on standard input, as the request to end, and ends at once when
that closes. Why it failed is written to the descriptor, one JSON text on a line.
"""

import json
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path

from automl.centerpose.config.load import load_spec
from automl.centerpose.program.launcher import OUTSIDE_SIGNALS
from automl.centerpose.session.failure import failure_text, is_expected
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import SilentLog, StatusLog
from automl.yamltext import load_yaml

__all__ = ["main"]

_LONGEST = select.PIPE_BUF // 8  # characters; a line on a pipe stays whole up to PIPE_BUF bytes


def main(arguments: Sequence[str]) -> int:
    """Trains as one of several; returns the exit code."""
    spec, folder, descriptor = arguments
    for number in OUTSIDE_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OUTSIDE_SIGNALS)
    interrupt = _StdinInterrupt()
    threading.Thread(target=interrupt.listen, daemon=True).start()
    try:
        _train(Path(spec), Path(folder), interrupt)
    except Interrupted as error:
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the program's edge: every failure is recorded
        text = json.dumps(failure_text(error)[:_LONGEST]) + "\n"
        os.write(int(descriptor), text.encode())
        if not is_expected(error):
            traceback.print_exc()
        return 1
    return 0


def _train(path: Path, folder: Path, interrupt: Interrupt) -> None:
    spec = load_spec(load_yaml(path), "train")
    rank = int(os.environ["LOCAL_RANK"])
    # Importing torch takes seconds: a failure before that is reported before that.
    from automl.centerpose.program.train import train
    from automl.centerpose.training.process_group import MultiProcess

    processes = MultiProcess(spec.train, rank, interrupt)
    if rank == 0:
        train(spec, Run(folder, StatusLog(folder), interrupt, _say), processes=processes)
    else:
        train(spec, Run(folder, SilentLog(), interrupt, _say_nothing), processes=processes)


class _StdinInterrupt(Interrupt):
    """Is asked on standard input."""

    def listen(self) -> None:
        """Notes the first request to end; never returns."""
        for line in sys.stdin:
            self.request(int(line))
        os._exit(1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _say_nothing(text: str) -> None:
    del text


if __name__ == "__main__":
    # What runs at an ordinary end of the interpreter may wait for processes that are gone.
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
