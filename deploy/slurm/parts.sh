#!/bin/sh
# All parts of a divided panel as a job array, after a run with forecast.partitions.stop=fit.
#   sbatch --wait --array=0-99%20 deploy/slurm/parts.sh
#   rnn-pipelines join data/01_raw/forecast_partitions
# The array has at least as many indices as the run has named; further ones end at once.
#SBATCH --job-name=parts
#SBATCH --cpus-per-task=1
#SBATCH --mem=3G
#SBATCH --requeue
export OMP_NUM_THREADS=1
exec .venv/bin/rnn-pipelines part "${1:-data/01_raw/forecast_partitions}" --index "$SLURM_ARRAY_TASK_ID"
