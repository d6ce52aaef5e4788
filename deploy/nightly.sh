#!/bin/sh
# A task's night: retrain, predict with the current champion, monitor, check.
#
#     deploy/nightly.sh forecast
#
# After a failed step the next one still runs: without a new champion, the old one predicts.
# Exit code: that of the first failed step, or else of the check:
# 0 ok, 10 retrain, 11 unmonitored, 20 alarm.
# KEDRO_ENV selects the configuration environment, RETRAIN_WAIT the seconds to wait for another retraining.
set -u
task=${1:?"usage: $0 forecast|sentiment"}
cd "$(dirname "$0")/.." || exit 1
export DO_NOT_TRACK=1
failure=0

step() {
    echo "$(date '+%Y-%m-%d %H:%M:%S') $*"
    "$@"
    code=$?
    if [ "$code" -ne 0 ] && [ "$failure" -eq 0 ]; then failure=$code; fi
}

step .venv/bin/kedro champion retrain "$task" --wait "${RETRAIN_WAIT:-3600}"
step .venv/bin/kedro run --pipelines="predict_$task"
step .venv/bin/kedro run --pipelines="monitor_$task"
step .venv/bin/kedro champion check "$task"
echo "$(date '+%Y-%m-%d %H:%M:%S') the night of $task ended with $failure"
exit "$failure"
