#!/usr/bin/env bash
# Builds and runs all tests and prints how many ran. Needs root: tests make namespaces and start FRR in them.
#
# Tests that wait for others (routers, servers, a whole lab) come last and one after the other: the others keep
# every processor busy, and time-outs would be met. Simulated lives take what processor time these leave.
set -uo pipefail
if [ "$(id -u)" -ne 0 ]; then
  echo "the tests make network namespaces: run 'sudo make test'" >&2
  exit 1
fi
waiting='^(LabTests|SpeakerTests|TransportTests)\.'
log=$(mktemp)
simulation=
trap 'rm -f "$log" "$log.sim"; [ -z "$simulation" ] || kill -- -"$simulation" 2>/dev/null' EXIT
started=$SECONDS
status=0

swift build --build-tests || exit 1
built=$((SECONDS - started))
timeout 20m swift test --skip-build --skip "$waiting" 2>&1 | tee -a "$log"
[ "${PIPESTATUS[0]}" -eq 0 ] || status=1

# Lives of a simulated control plane, each from its seed; its own summary says what happened in them. In a session of
# their own, since a kernel that groups by sessions (sched(7), autogroup) would give them half of the machine.
setsid bash -c 'echo 19 >/proc/self/autogroup 2>/dev/null; exec nice -n 19 deploy/simulate.sh' >"$log.sim" 2>&1 &
simulation=$!
timeout 30m swift test --skip-build --filter "$waiting" --no-parallel 2>&1 | tee -a "$log"
[ "${PIPESTATUS[0]}" -eq 0 ] || status=1
wait "$simulation" || status=1
simulation=
cat "$log.sim"
lives=$(sed -nE 's/^([0-9,]+) lives .*/\1/p' "$log.sim")

# "Test run with 410 tests in 70 suites passed after 93 seconds.", once for each part.
read -r tests suites < <(sed -nE 's/.*Test run with ([0-9]+) tests? in ([0-9]+) suites?.*/\1 \2/p' "$log" |
  awk '{tests += $1; suites += $2} END {print tests + 0, suites + 0}')
cases=$(sed -nE 's/.* Test .* with ([0-9]+) test cases? (passed|failed) after.*/\1/p' "$log" |
  awk '{cases += $1 - 1} END {print cases + 0}')
failed=$(grep -E '^[^ ]+ +Test .* failed after' "$log" | grep -vc 'Test run with')
skipped=$(grep -cE '^[^ ]+ +(Test|Suite) .* skipped' "$log")
if [ "$skipped" -gt 0 ]; then
  echo "$skipped tests or suites were skipped: a claim that is not tested is not a claim" >&2
  status=1
fi
echo
echo "tests: $tests in $suites suites with $((tests + cases)) cases, $failed failed; ${lives:-no} simulated lives;" \
  "built in $built s, ran in $((SECONDS - started - built)) s"
if [ "$tests" -lt 300 ]; then
  echo "fewer than 300 tests ran: something was not found" >&2
  exit 1
fi
exit "$status"
