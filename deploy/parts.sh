#!/bin/sh
# All parts of a divided panel by the processes of one machine: deploy/parts.sh FOLDER LAST [PROCESSES]
# FOLDER and LAST are those that a run with forecast.partitions.stop=fit names.
set -eu
PATH="$(dirname "$0")/../.venv/bin:$PATH"
export PATH
export OMP_NUM_THREADS=1
seq 0 "$2" | xargs -P "${3:-$(nproc)}" -I{} rnn-pipelines part "$1" --index {}
rnn-pipelines join "$1"
