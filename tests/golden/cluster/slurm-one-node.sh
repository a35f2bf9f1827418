#!/bin/bash
#SBATCH --job-name=automl-bikes
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=2
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=/shared/studies/bikes.slurm-%j.log
#SBATCH --time=8:00:00
#SBATCH --partition=gpu
#SBATCH --cpus-per-task=16
#
# Drives the study bikes to its end. Made by automl slurm; may be submitted again at any time:
# a study that has begun goes on, and one that has ended stays as it is.
set -u
cd -- /home/me

is_warned=
driver=
# USR1 comes before the time limit: end the trials, keep their checkpoints, and queue again.
warn() { is_warned=1; [ -z "$driver" ] || kill -TERM "$driver" 2>/dev/null; }
# TERM comes where the job is cancelled or preempted; Slurm itself queues a preempted job again.
end() { [ -z "$driver" ] || kill -TERM "$driver" 2>/dev/null; }
trap warn USR1
trap end TERM

if [ -e /shared/studies/bikes/resolved.json ]; then
  /venv/bin/python -P -m automl resume bikes --studies-dir /shared/studies --plain &
else
  /venv/bin/python -P -m automl run '/home/me/my bikes.yaml' --name bikes --studies-dir /shared/studies --plain &
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
