#!/usr/bin/env bash
# Runs SEEDS (10,000) simulated lives of the control plane with all faults on; fails if anything is found.
#
# ananta-sim is built by itself, in a scratch path of its own: it needs neither gRPC nor SQLite, and a build of the
# package for debugging is left alone. Optimization across modules specializes the generic code of the stages.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${SCRATCH:-.build/sim}
swift build -c release --product ananta-sim --scratch-path "$scratch" \
  -Xswiftc -cross-module-optimization 2>&1 | grep -E 'error|warning|Build|Compiling' |
  tail -n 3
sim=$scratch/release/ananta-sim

# The same seeds are the same lives in another process, too.
digest() { "$sim" --seeds 20 --first-seed 500 | sed -nE 's/.*digest ([0-9a-f]+).*/\1/p'; }
[ "$(digest)" = "$(digest)" ] || { echo "a seed does not replay: two runs differ" >&2; exit 1; }

exec "$sim" --seeds "${SEEDS:-10000}" --first-seed "${FIRST_SEED:-0}"
