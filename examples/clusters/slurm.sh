#!/bin/bash
# A comparison as the tasks of a SLURM array, each with its part of the runs.
#SBATCH --job-name=lrlab
#SBATCH --array=1-10
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=02:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue

# `exec`, so that the signal before the time limit reaches lrlab, which then writes its checkpoints.
exec lrlab compare configs/*.yaml --seeds 20 \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "shards/$SLURM_ARRAY_TASK_ID"
