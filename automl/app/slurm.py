"""One Slurm job that drives one study to its end, over as many time limits as that takes.

The job is a plain batch script. Libraries that submit from Python send pickled functions to the
cluster; what runs here is a command line, and a script can be read, kept and changed by whoever
answers for the cluster.

Before its time limit Slurm sends the script USR1. The driver then ends its trials with their
checkpoints kept, and the script puts its own job back into the queue, where it goes on with
``automl resume``. A job that is preempted, or whose node dies, is put there by Slurm itself.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.errors import FixInput, PrepareMachine

__all__ = ["SlurmJob", "batch_script", "parse_extra", "submit"]

#: Seconds before its time limit at which a job is warned: trainers take ten to leave a checkpoint,
#: and the report is written after it.
WARNING_S = 120
_TIMEOUT_S = 60.0
_KEY = re.compile(r"[a-z][a-z0-9-]*")
#: Options whose meaning the script rests on.
_OURS = ("array", "nodes", "ntasks-per-node", "no-requeue", "requeue", "signal", "open-mode")


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """What is submitted.

    Attributes:
        name: The study.
        study_file: Its file; absolute.
        studies_dir: Where studies are kept; absolute, and seen by every node.
        folder: Where the commands run; absolute.
        arguments: Further arguments of ``automl run``.
        nodes: How many nodes.
        gpus_per_node: GPUs on each; 0 for none.
        options: Further options of ``sbatch`` without their dashes, in the order of the script.
        program: The module that is the command line.
        warning_s: Seconds before the time limit at which the driver is ended.
    """

    name: str
    study_file: Path
    studies_dir: Path
    folder: Path
    arguments: tuple[str, ...] = ()
    nodes: int = 1
    gpus_per_node: int = 0
    options: tuple[tuple[str, str], ...] = ()
    program: str = "automl"
    warning_s: int = WARNING_S


def parse_extra(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Options of ``sbatch`` as ``KEY=VALUE``.

    Raises:
        FixInput: One has another form, or would change what the script rests on.
    """
    found = []
    for text in texts:
        key, separator, value = text.partition("=")
        key = key.removeprefix("--")
        if not separator or not _KEY.fullmatch(key) or "\n" in value:
            raise FixInput(
                "an option of sbatch must be written KEY=VALUE",
                got=repr(text),
                where="--sbatch",
                fix="such as --sbatch cpus-per-task=16",
            )
        if key in _OURS:
            raise FixInput(
                "the script's own options must stay as they are",
                got=text,
                where="--sbatch",
                fix="edit what automl slurm --print shows, and submit it with sbatch",
            )
        found.append((key, value))
    return tuple(found)


def batch_script(job: SlurmJob) -> str:
    """The script of a job, to be given to ``sbatch``."""
    head = "\n".join(f"#SBATCH --{option}" for option in _options(job))
    where = ["--studies-dir", str(job.studies_dir), "--plain"]
    program = [sys.executable, "-P", "-m", job.program]
    resume = shlex.join([*program, "resume", job.name, *where])
    first = [*program, "run", str(job.study_file), *job.arguments, "--name", job.name, *where]
    is_cluster = job.nodes > 1
    address = ' --ray-address "$address"' if is_cluster else ""
    return _SCRIPT.format(
        head=head,
        folder=shlex.quote(str(job.folder)),
        ray=_ray(job) if is_cluster else "",
        known=shlex.quote(str(job.studies_dir / job.name / "resolved.json")),
        resume=resume + address,
        run=shlex.join(first) + address,
        name=job.name,
    )


def _ray(job: SlurmJob) -> str:
    program = shlex.join([sys.executable, "-P", "-m", "ray.scripts.scripts"])
    return _RAY.format(workers=job.nodes - 1, gpus=job.gpus_per_node, ray=program)


def _options(job: SlurmJob) -> Iterator[str]:
    yield f"job-name=automl-{job.name}"
    yield f"nodes={job.nodes}"
    yield "ntasks-per-node=1"
    if job.gpus_per_node:
        yield f"gpus-per-node={job.gpus_per_node}"
    yield f"signal=B:USR1@{job.warning_s}"
    yield "requeue"
    yield "open-mode=append"
    given = dict(job.options)
    if "output" not in given:
        yield f"output={job.studies_dir}/{job.name}.slurm-%j.log"
    for key, value in job.options:
        yield f"{key}={value}"


def submit(script: str, studies_dir: Path) -> str:
    """Gives a script to ``sbatch``; the job's number.

    Args:
        script: The script.
        studies_dir: Where its log is; made if need be, as Slurm drops the log of a job otherwise.

    Raises:
        PrepareMachine: There is no Slurm here, or it refuses the job.
    """
    program = shutil.which("sbatch")
    if program is None:
        raise PrepareMachine(
            "a job must be submitted where Slurm's programs are",
            got="no sbatch",
            fix="run this on a login node, or submit what automl slurm --print shows",
        )
    studies_dir.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [program, "--parsable"],
            input=script,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(f"no answer within {_TIMEOUT_S:.0f} s") from error
    if done.returncode:
        raise _refused(done.stderr.strip() or f"exit code {done.returncode}")
    return done.stdout.strip().partition(";")[0]


def _refused(said: str) -> PrepareMachine:
    return PrepareMachine(
        "Slurm must take the job",
        got=said.splitlines()[-1],
        where="sbatch",
        fix="choose another --partition, --account or --time; sinfo shows what there is",
    )


_SCRIPT = """\
#!/bin/bash
{head}
#
# Drives the study {name} to its end. Made by automl slurm; may be submitted again at any time:
# a study that has begun goes on, and one that has ended stays as it is.
set -u
cd -- {folder}

is_warned=
driver=
# USR1 comes before the time limit: end the trials, keep their checkpoints, and queue again.
warn() {{ is_warned=1; [ -z "$driver" ] || kill -TERM "$driver" 2>/dev/null; }}
# TERM comes where the job is cancelled or preempted; Slurm itself queues a preempted job again.
end() {{ [ -z "$driver" ] || kill -TERM "$driver" 2>/dev/null; }}
trap warn USR1
trap end TERM
{ray}
if [ -e {known} ]; then
  {resume} &
else
  {run} &
fi
driver=$!

# A signal ends the wait, not the driver.
while true; do
  wait "$driver"
  code=$?
  if [ "$code" -le 128 ] || ! kill -0 "$driver" 2>/dev/null; then break; fi
done

if [ -n "$is_warned" ] && [ "$code" -ne 0 ]; then
  echo "the time limit is near: job $SLURM_JOB_ID is queued again"
  scontrol requeue "$SLURM_JOB_ID"
  exit 75
fi
exit "$code"
"""

_RAY = """
# One Ray over all nodes: its head on the first, a worker on each other one. Every run of the job
# has a port and a folder of its own, and only who knows the token may use this Ray.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
ip=$(srun --overlap --nodes=1 --ntasks=1 --nodelist="$first" hostname -I | cut -d ' ' -f 1)
run=$((SLURM_JOB_ID * 16 + ${{SLURM_RESTART_COUNT:-0}}))
address="$ip:$((20000 + run % 12000))"
RAY_AUTH_TOKEN=${{RAY_AUTH_TOKEN:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')}}
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN RAY_USAGE_STATS_ENABLED=0
# A node that is told to end waits so long for the checkpoints of its trainings.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=${{RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S:-15}}
ports="--min-worker-port=0 --max-worker-port=0"
# Ray counts a machine's CPUs; the job has those that Slurm gave it.
ours=(sh -c 'exec "$@" --num-cpus="$SLURM_CPUS_ON_NODE"' sh)
srun --overlap --nodes=1 --ntasks=1 --nodelist="$first" "${{ours[@]}}" \\
  {ray} start --head --block --node-ip-address="$ip" --port="${{address#*:}}" $ports \\
  --num-gpus={gpus} --include-dashboard=false --temp-dir="/tmp/ray-$run" &
head=$!
until {ray} health-check --address "$address" >/dev/null 2>&1; do
  if ! kill -0 "$head" 2>/dev/null; then echo "Ray did not start on $first" >&2; exit 1; fi
  sleep 1
done
srun --overlap --nodes={workers} --ntasks={workers} --exclude="$first" "${{ours[@]}}" \\
  {ray} start --block --address="$address" $ports --num-gpus={gpus} &
"""
