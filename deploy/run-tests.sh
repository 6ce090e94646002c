#!/usr/bin/env bash
# Builds and runs all tests and prints how many ran. Needs root: tests make namespaces and start FRR in them.
set -uo pipefail
if [ "$(id -u)" -ne 0 ]; then
  echo "the tests make network namespaces: run 'sudo make test'" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
swift test "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
passed=$(grep -cE '^. Test .* passed after' "$log")
failed=$(grep -cE '^. Test .* failed after' "$log")
cases=$(sed -nE 's/^. Test .* with ([0-9]+) test cases? .*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
single=$(grep -E '^. Test .* (passed|failed) after' "$log" | grep -vcE 'with [0-9]+ test cases?')
echo
echo "tests: $((passed + failed)) run with $((cases + single)) cases, $passed passed, $failed failed," \
  "$((SECONDS - started)) seconds"
if [ "$((passed + failed))" -eq 0 ]; then
  echo "no test ran: that is a failure" >&2
  exit 1
fi
exit "$status"
