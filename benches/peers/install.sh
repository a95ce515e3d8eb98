#!/usr/bin/env bash
# Installs the peers from their registries into a folder (default target/peers). Everything is
# pinned; a peer that cannot be had is left out, and the comparison says so.
set -uo pipefail
cd "$(dirname "$0")/../.."
into=${1:-${CARGO_TARGET_DIR:-target}/peers}
mkdir -p "$into"
into=$(cd "$into" && pwd)

missing() { printf 'not installed: %s\n' "$*" >&2; }

if python3 -m venv "$into/venv"; then
    "$into/venv/bin/pip" install -q pytest-split==0.11.0 prtpy==0.8.3 numberpartitioning==0.0.2 \
        || missing "pytest-split, prtpy, numberpartitioning (PyPI)"
    # For the offline oracle alone: each in a process of its own, since together they break.
    "$into/venv/bin/pip" install -q highspy==1.15.1 ortools==9.15.6755 || missing "highspy, ortools (PyPI)"
else
    missing "the Python peers: python3 -m venv fails"
fi

if command -v npm >/dev/null; then
    mkdir -p "$into/npm"
    (cd "$into/npm" && npm init -y >/dev/null 2>&1
        npm install --silent --no-audit --no-fund bun@1.4.5 cypress-split@1.25.0 @jest/test-sequencer@30.5.2) \
        || missing "bun, cypress-split, @jest/test-sequencer (npm)"
else
    missing "the npm peers: no npm"
fi

if command -v go >/dev/null; then
    GOBIN="$into/bin" go install gotest.tools/gotestsum@v1.13.0 || missing "gotestsum (Go)"
else
    missing "gotestsum: no go"
fi

ruby -e 'require "parallel_tests"' 2>/dev/null || missing "parallel_tests: apt-get install ruby ruby-parallel-tests"
printf '%s\n' "$into"
