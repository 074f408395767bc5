#!/bin/bash
# An array of workers under Slurm, each with one GPU, until the queue is empty:
#   sbatch --array=1-8 slurm-workers.sh nats://queue.example:4222 farm.token
# Two minutes before the time limit Slurm sends SIGTERM to each worker, which saves a
# checkpoint and gives its job back. The workers of the next array continue the job.
#SBATCH --job-name=impasto
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
set -euo pipefail
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
export IMPASTO_STATE=$state
# srun passes the signal on to the worker.
srun impasto worker --queue "$1" --token-file "$2" --device cuda:0 --until-empty
