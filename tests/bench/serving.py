"""A trainer process that is kept: one training after the other, as a search drives it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.yamltext import dump_yaml


class Server:
    """A ``serve`` process, started again where it ended.

    Args:
        variables: Its environment.
        folder: Where it writes.
    """

    def __init__(self, variables: Mapping[str, str], folder: Path) -> None:
        self._variables, self._folder = dict(variables), folder
        self._process: subprocess.Popen[str] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def train(self, number: int, spec: Mapping[str, Any]) -> tuple[int, Path]:
        """Runs a training to its end; its exit code and its folder."""
        folder = self._folder / str(number)
        folder.mkdir()
        (folder / "log").touch()
        (folder / "spec.yaml").write_text(dump_yaml({**spec, "results_dir": str(folder)}))
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"id": number, "spec": str(folder / "spec.yaml"), "log": str(folder / "log")}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if "exit_code" in (answer := json.loads(line)):
                if not answer["reusable"]:
                    self._process.wait()
                return answer["exit_code"], folder
        return self._process.wait(), folder

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    def _started(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "automl.centerpose", "serve"]
        with (self._folder / "errors").open("a") as errors:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | self._variables,
                text=True,
                bufsize=1,
            )
