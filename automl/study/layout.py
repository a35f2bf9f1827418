"""Every path of a study folder; nothing else in the package spells one of these names.

::

    <studies-dir>/<name>/
      study.yaml        what was asked, as given     resolved.json    what it became, with origins
      study.journal     the Optuna storage           provenance.json  versions, hashes, seeds, host
      state.json        rewritten every few seconds  driver.lock      who drives it, its heartbeat
      space.json        the search space and hash   glance.json      what status shows of trials
      stop              its presence asks every running trial to stop now
      stop-after-running  asks the driver to start no further trial; gone once it has heard
      driver.log        what a driver in the background says
      gpu.parquet       what its GPUs did            gpu.jsonl        the same while it is driven
      trials/0007/1/    one folder a trial, one subfolder an attempt
      best/             the incumbent: train.yaml, checkpoint, provenance.json
      report/           what ``automl report`` writes
      actions/export-1/ what an action on a checkpoint made, its spec, log and outcome.json
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["AttemptPaths", "StudyPaths"]


@dataclass(frozen=True, slots=True)
class AttemptPaths:
    """Paths of one attempt's folder; the trainer's results folder is the folder itself."""

    folder: Path

    @property
    def spec(self) -> Path:
        """The complete spec the trainer is started with."""
        return self.folder / "spec.yaml"

    @property
    def container_spec(self) -> Path:
        """The same spec as the container reads it: paths as it sees them; only with docker."""
        return self.folder / "spec.container.yaml"

    @property
    def container(self) -> Path:
        """Which container, of which image, and what it saw of the host; only with docker."""
        return self.folder / "container.json"

    @property
    def log(self) -> Path:
        """Standard output and error of the trainer."""
        return self.folder / "log.txt"

    @property
    def outcome(self) -> Path:
        """How the attempt ended; absent until it has."""
        return self.folder / "outcome.json"

    @property
    def pid(self) -> Path:
        """Process id and start time of the trainer while it runs."""
        return self.folder / "trainer.pid"

    @property
    def server(self) -> Path:
        """The same of a process that trains further attempts too; with the one that started it."""
        return self.folder / "server.pid"

    @property
    def gpus(self) -> Path:
        """The GPUs that it holds, as the scheduler names them, and where; absent on a CPU."""
        return self.folder / "gpus.json"

    def config(self, config_format: str) -> Path:
        """The spec in the format that its program reads; the spec itself where that is YAML."""
        return self.spec if config_format == "yaml" else self.spec.with_suffix(f".{config_format}")

    def container_config(self, config_format: str) -> Path:
        """The same as the container sees it."""
        inside = self.container_spec
        return inside if config_format == "yaml" else inside.with_suffix(f".{config_format}")

    @property
    def stop(self) -> Path:
        """Asks this attempt alone to stop; holds the pruner's reason as text."""
        return self.folder / "stop"

    @property
    def leave(self) -> Path:
        """Asks this attempt to end so that its trial goes on elsewhere; holds why as text."""
        return self.folder / "leave"

    @property
    def node_spec(self) -> Path:
        """The same spec with the paths of a node that has a copy of the data; there alone."""
        return self.folder / "spec.node.yaml"

    @property
    def pause(self) -> Path:
        """Asks this attempt to end once an epoch's checkpoint is whole; says which, and why."""
        return self.folder / "pause.json"


@dataclass(frozen=True, slots=True)
class StudyPaths:
    """Paths of one study's folder.

    Attributes:
        folder: Absolute path of the study.
    """

    folder: Path

    @property
    def request(self) -> Path:
        """What was asked, as given: the study file and the flags."""
        return self.folder / "study.yaml"

    @property
    def resolved(self) -> Path:
        """The resolved configuration with the origin of each value."""
        return self.folder / "resolved.json"

    @property
    def journal(self) -> Path:
        """The Optuna journal storage."""
        return self.folder / "study.journal"

    @property
    def journal_torn(self) -> Path:
        """Unfinished ends that were cut off the journal after a crash; rarely there."""
        return self.folder / "study.journal.torn"

    @property
    def provenance(self) -> Path:
        """Versions, digests, hashes, seeds, host and GPUs."""
        return self.folder / "provenance.json"

    @property
    def space(self) -> Path:
        """The search space with the reason of each bound, and its hash."""
        return self.folder / "space.json"

    @property
    def base_spec(self) -> Path:
        """The spec that every trial starts from, before its parameters are set."""
        return self.folder / "base_spec.yaml"

    @property
    def state(self) -> Path:
        """A snapshot for readers, replaced whole every few seconds."""
        return self.folder / "state.json"

    @property
    def glance(self) -> Path:
        """What ``automl status`` shows of the trials, so that it need not read them all."""
        return self.folder / "glance.json"

    @property
    def lock(self) -> Path:
        """The lock of the driver: owner and heartbeat."""
        return self.folder / "driver.lock"

    @property
    def stop(self) -> Path:
        """A file whose presence asks every running trial to stop now, checkpoints kept."""
        return self.folder / "stop"

    @property
    def stop_gently(self) -> Path:
        """A file that asks the driver to start no further trial; deleted once it is heard."""
        return self.folder / "stop-after-running"

    @property
    def driver_log(self) -> Path:
        """What a driver that runs in the background would show on a terminal."""
        return self.folder / "driver.log"

    @property
    def gpu_table(self) -> Path:
        """What the GPUs did: a row a GPU and sample, brought up to date by each report."""
        return self.folder / "gpu.parquet"

    @property
    def gpu_log(self) -> Path:
        """The newest of it, a line a sample, while a driver runs."""
        return self.folder / "gpu.jsonl"

    @property
    def trials(self) -> Path:
        """The folder of all trials."""
        return self.folder / "trials"

    @property
    def best(self) -> Path:
        """The incumbent: complete spec, checkpoint as a real file, provenance."""
        return self.folder / "best"

    @property
    def best_spec(self) -> Path:
        """The incumbent's complete spec."""
        return self.best / "train.yaml"

    @property
    def best_provenance(self) -> Path:
        """Which trial the incumbent is, and the hash of its checkpoint."""
        return self.best / "provenance.json"

    @property
    def actions(self) -> Path:
        """The folders of evaluations, exports and other actions on this study's checkpoints."""
        return self.folder / "actions"

    @property
    def report(self) -> Path:
        """What ``automl report`` writes."""
        return self.folder / "report"

    @property
    def ray(self) -> Path:
        """Ray Tune's own files; nothing in it is ever read back."""
        return self.folder / ".ray"

    def trial(self, number: int) -> Path:
        """The folder of a trial."""
        return self.trials / f"{number:04d}"

    def attempt(self, number: int, attempt: int) -> AttemptPaths:
        """The paths of one attempt (from 1) of a trial (from 0)."""
        return AttemptPaths(self.trial(number) / str(attempt))

    def numbers(self) -> list[int]:
        """The numbers of the trials that have a folder, in no order."""
        if not self.trials.is_dir():
            return []
        return [int(entry.name) for entry in self.trials.iterdir() if entry.name.isdecimal()]

    def attempts(self, number: int) -> Iterator[tuple[int, AttemptPaths]]:
        """Each attempt of a trial that has a folder, in order."""
        folder = self.trial(number)
        if not folder.is_dir():
            return
        names = (entry.name for entry in folder.iterdir() if entry.name.isdecimal())
        for name in sorted(names, key=int):
            yield int(name), AttemptPaths(folder / name)

    def relative(self, path: Path) -> str:
        """``path`` as text relative to the study folder, so that the folder can be moved."""
        return str(path.relative_to(self.folder))
