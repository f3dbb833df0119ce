#!/usr/bin/env bash
# Deploys the project as it is here: builds what changed beside live, tests it, publishes it at once.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || { echo "There is no .venv yet: run \`make install\`." >&2 && exit 1; }
exec .venv/bin/python scripts/deploy.py "$@"
