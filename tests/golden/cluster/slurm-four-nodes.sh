#!/bin/bash
#SBATCH --job-name=automl-bikes
#SBATCH --nodes=4
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

# One Ray over all nodes: its head on the first, a worker on each other one. Every run of the job
# has a port and a folder of its own, and only who knows the token may use this Ray.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
ip=$(srun --overlap --nodes=1 --ntasks=1 --nodelist="$first" hostname -I | cut -d ' ' -f 1)
run=$((SLURM_JOB_ID * 16 + ${SLURM_RESTART_COUNT:-0}))
address="$ip:$((20000 + run % 12000))"
RAY_AUTH_TOKEN=${RAY_AUTH_TOKEN:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN RAY_USAGE_STATS_ENABLED=0
# A node that is told to end waits so long for the checkpoints of its trainings.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=${RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S:-15}
ports="--min-worker-port=0 --max-worker-port=0"
# Ray counts a machine's CPUs; the job has those that Slurm gave it.
ours=(sh -c 'exec "$@" --num-cpus="$SLURM_CPUS_ON_NODE"' sh)
srun --overlap --nodes=1 --ntasks=1 --nodelist="$first" "${ours[@]}" \
  /venv/bin/python -P -m ray.scripts.scripts start --head --block --node-ip-address="$ip" --port="${address#*:}" $ports \
  --num-gpus=2 --include-dashboard=false --temp-dir="/tmp/ray-$run" &
head=$!
until /venv/bin/python -P -m ray.scripts.scripts health-check --address "$address" >/dev/null 2>&1; do
  if ! kill -0 "$head" 2>/dev/null; then echo "Ray did not start on $first" >&2; exit 1; fi
  sleep 1
done
srun --overlap --nodes=3 --ntasks=3 --exclude="$first" "${ours[@]}" \
  /venv/bin/python -P -m ray.scripts.scripts start --block --address="$address" $ports --num-gpus=2 &

if [ -e /shared/studies/bikes/resolved.json ]; then
  /venv/bin/python -P -m automl resume bikes --studies-dir /shared/studies --plain --ray-address "$address" &
else
  /venv/bin/python -P -m automl run '/home/me/my bikes.yaml' --name bikes --studies-dir /shared/studies --plain --ray-address "$address" &
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
