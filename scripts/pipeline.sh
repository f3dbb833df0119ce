#!/usr/bin/env bash
# A refresh as a schedule runs it: it ends with word to whoever listens, if there is anything to tell.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
    dev* | ci* | staging* | prod*) ;;
    *)
        echo "Usage: scripts/pipeline.sh TARGET [options of scripts/refresh.py]" >&2
        exit 2
        ;;
esac
target=$1
shift

python=.venv/bin/python
artifacts=${DBT_TARGET_PATH:-target}
export MEDALLION_PIPELINE=${MEDALLION_PIPELINE:-refresh}

rm -f "$artifacts/outcome.json" "$artifacts/sources.json"
status=0
"$python" scripts/refresh.py --target "$target" "$@" || status=$?
# Of sources that are stale, and nothing else, the last line tells, once a day.
if [ "$status" -ne 0 ] && ! { [ "$status" -eq 3 ] && [ -e "$artifacts/sources.json" ]; }; then
    # A build that failed has said why. What ended before, in or after its publish has not.
    "$python" scripts/blue_green.py failed --target "$target" \
        --reason "the pipeline '$MEDALLION_PIPELINE' failed: its log says where" || true
    "$python" scripts/notify.py outcome --target "$target" || true
fi
[ ! -e "$artifacts/sources.json" ] || "$python" scripts/notify.py freshness --target "$target" || true
exit "$status"
