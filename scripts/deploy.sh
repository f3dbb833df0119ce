#!/usr/bin/env bash
# Deploys the project as it is here: builds what changed beside live, tests it, publishes it at once.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'USAGE'
Usage: scripts/deploy.sh staging|prod [options]

  --dry-run         say what would happen; change nothing
  --full            build everything, not only what changed
  --yes             don't ask before the publish
  --override TEXT   deploy to prod what staging has not verified, or uncommitted files; kept in the log
  --confirm THING   rebuild, removal or diff: publish in spite of it; needs --why
  --why TEXT        the reason, kept in the log
  --keep N          generations that can become live again (default 3)
  --wait SECONDS    for another deploy or refresh that is under way (default 900)

Run it again after any failure: it goes on where that is safe, and starts anew where it is not.
`staging_sqlserver` and `prod_sqlserver` are the same environments on SQL Server.
USAGE
}

target=
dry_run=false
full=()
ask=(--ask)
override=
confirmed=()
keep=3
wait=900
while [ $# -gt 0 ]; do
    case $1 in
        staging | prod | staging_sqlserver | prod_sqlserver) target=$1 ;;
        --dry-run) dry_run=true ;;
        --full) full=(--all) ;;
        --yes) ask=() ;;
        --override) override=${2:?--override needs a reason} && shift ;;
        --confirm | --why) confirmed+=("$1" "${2:?$1 needs a value}") && shift ;;
        --keep) keep=${2:?--keep needs a number} && shift ;;
        --wait) wait=${2:?--wait needs seconds} && shift ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && echo "deploy.sh: what is '$1'?" >&2 && exit 2 ;;
    esac
    shift
done
[ -n "$target" ] || { usage >&2 && exit 2; }

python=.venv/bin/python
artifacts=${DBT_TARGET_PATH:-target}
export MEDALLION_PIPELINE=${MEDALLION_PIPELINE:-deploy}
MEDALLION_COMMIT=${MEDALLION_COMMIT:-$(git rev-parse HEAD)}
export MEDALLION_COMMIT

step() { # what it is called, and the command
    now=$1
    shift
    printf '\n== %s\n' "$now"
    "$@"
}

tell() { # what happened, to whoever listens; never fails the deploy
    [ -e "$artifacts/outcome.json" ] || { echo "Nothing was published." && return; }
    "$python" scripts/notify.py outcome --target "$target" || true
}

stopped() {
    local status=$?
    [ "$status" -ne 0 ] || return 0
    if [ ! -e "$artifacts/outcome.json" ]; then
        "$python" scripts/blue_green.py failed --target "$target" \
            --reason "the step '${now:-preflight}' failed" || true
    fi
    tell
    exit "$status"
}

check_commit() {
    local why=
    if [ -n "$(git status --porcelain)" ]; then
        why="there are files here that are not committed"
    elif [ "${target%%_*}" = prod ]; then
        "$python" scripts/blue_green.py verified "$MEDALLION_COMMIT" --target "${target/prod/staging}" ||
            why="staging has not verified ${MEDALLION_COMMIT:0:8}"
    fi
    if [ -n "$why" ]; then
        [ -n "$override" ] || { echo "Not deployed: $why. To deploy all the same: --override REASON" >&2 && return 1; }
        echo "Overridden, although $why: $override"
        confirmed+=(--note "overridden, although $why: $override")
    fi
}

if $dry_run; then
    step "preflight" "$python" scripts/doctor.py --target "$target"
    step "plan" "$python" scripts/blue_green.py run --dry-run --target "$target" ${full[@]+"${full[@]}"}
    exit 0
fi

rm -f "$artifacts/outcome.json"
trap stopped EXIT
step "preflight" "$python" scripts/doctor.py --target "$target"
step "commit" check_commit
step "extract what has never landed" "$python" scripts/extract.py --missing --target "$target"
step "compile" .venv/bin/dbt --quiet compile --target "$target"
step "build, test, diff, publish" "$python" scripts/blue_green.py run --target "$target" \
    --wait "$wait" --artifacts "$artifacts/deploy" ${full[@]+"${full[@]}"} ${ask[@]+"${ask[@]}"} \
    ${confirmed[@]+"${confirmed[@]}"}
trap - EXIT
# It is live. Whatever comes now is a warning.
step "docs" .venv/bin/dbt --quiet docs generate --target "$target" || echo "The docs were not made."
step "notify" tell
step "prune" "$python" scripts/blue_green.py prune --keep "$keep" --wait "$wait" --target "$target" ||
    echo "Old generations were not dropped."
