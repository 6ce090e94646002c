#!/usr/bin/env bash
# Drives what strangers' bytes reach with libFuzzer under AddressSanitizer: the multiplexer, the host agent, BGP.
#
#   fuzz.sh [mux|host|bgp|all] [SECONDS]      all of them, 20 seconds each, by default
#
# Exits 1 at the first crash, whose input is printed in base64.
set -euo pipefail
choice=${1:-all}
seconds=${2:-20}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Of the linker's warnings about AddressSanitizer's own symbols nothing follows.
compile() {
  swiftc -O -parse-as-library -swift-version 6 -sanitize=address -sanitize=fuzzer \
    -enable-experimental-feature Lifetimes -I "$work" "$@" 2> >(grep -v "Cannot export local symbol '__asan" >&2)
}

# module NAME: compiles a module of Sources, once.
module() {
  [[ -e $work/$1.o ]] && return
  compile -wmo -module-name "$1" -emit-module -emit-module-path "$work/$1.swiftmodule" \
    -c "$root/Sources/$1"/*.swift -o "$work/$1.o"
}

# run NAME LONGEST-INPUT SOURCE... -- MODULE...: compiles a target and lets the fuzzer loose on it.
run() {
  local name=$1 longest=$2 sources=() objects=()
  shift 2
  while [[ $1 != -- ]]; do sources+=("$root/deploy/fuzz/$1.swift"); shift; done
  shift
  for needed in "$@"; do module "$needed"; objects+=("$work/$needed.o"); done
  compile -module-name Fuzz "${sources[@]}" "${objects[@]}" -o "$work/$name"
  mkdir -p "$work/corpus-$name"
  "seed_$name"
  # The backtracer of Swift hangs on the first crash, and with it the fuzzer.
  if ! SWIFT_BACKTRACE=enable=no "$work/$name" -max_total_time="$seconds" -max_len="$longest" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/found-" "$work/corpus-$name" \
    > "$work/$name.log" 2>&1; then
    tail -n 60 "$work/$name.log"
    for found in "$work"/found-*; do [[ -e $found ]] && base64 -w 0 "$found" && echo; done
    echo "$name: crashed" >&2
    exit 1
  fi
  awk -v name="$name" -v seconds="$seconds" '
    /number_of_executed_units/ { executions = $2 }
    / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") coverage = $(i + 1) }
    END { printf "%s: %d executions in %d s, %d edges, no crash\n", name, executions, seconds, coverage }
  ' "$work/$name.log"
}

# Without a first packet that is nearly right a fuzzer spends its minutes on the version field.
whole='\0\0\0\0\0\0\0\0\0\0'
client='\xc6\x33\x64\x0a' vip='\xcb\0\x71\x0a' dip='\xc0\xa8\0\2' prober='\xa9\xfe\xa9\1'
tcp='\x45\0\0\x28\0\0\x40\0\x40\x06\0\0'
udp='\x45\0\0\x1c\0\0\x40\0\x40\x11\0\0'
icmp='\x45\0\0\x38\0\0\x40\0\x40\x01\0\0'
numbers='\0\0\0\1\0\0\0\1'
# Not digits, which an escape before them would take for its own.
data='abcdefghijklmnopqrstuvwxyzabcdefghijklmn'

# seed NAME FORMAT: a first input of the target in hand.
seed() { printf "$2" > "$work/corpus-$name/$1"; }

seed_mux() {
  seed tcp "$whole$tcp$client$vip\x9c\x40\0\x50$numbers\x50\x02\xff\xff\0\0\0\0"
  seed udp "$whole$udp$client$vip\x9c\x40\0\x35\0\x08\0\0"
  seed echo "$whole\x45\0\0\x1c\0\0\x40\0\x40\x01\0\0$client$vip\x08\0\0\0\0\1\0\1"
  seed error "$whole$icmp$client$vip\x03\x04\0\0\0\0\5\x78$tcp$vip$client\0\x50\x9c\x40\0\0\0\1"
  seed super "\1\1\x28\0\x0a\0\x14\0\x10\0\x45\0\0\x50\0\0\x40\0\x40\x06\0\0$client$vip\x9c\x40\0\x50$numbers\x50\x10\xff\xff\0\0\0\0$data"
}

# A packet behind `control, repeats, length`, see HostTarget.swift; \x12 is from the underlay, \x11 from a VM.
seed_host() {
  local header="$client$vip\x9c\x40\0\x50$numbers" back="$dip$client\x1f\x90\x9c\x40$numbers"
  local long='\x45\0\0\x50\0\0\x40\0\x40\x06\0\0'
  local syn="\x12\0\x28\0$whole$tcp$header\x50\x02\xff\xff\0\0\0\0"
  local accept="\x11\0\x28\0$whole$tcp$back\x50\x12\xff\xff\0\0\0\0"
  seed handshake "$syn$accept"
  seed bulk "$syn\x12\x08\x50\0\2\0\0\0\0\0\0\0\0\0$long$header\x50\x10\xff\xff\0\0\0\0$data"
  seed super "$syn\x12\0\x50\0\1\1\x3c\0\x0a\0\x28\0\x10\0$long$header\x50\x10\xff\xff\0\0\0\0$data"
  seed reply "$syn\x11\0\x50\0\1\1\x28\0\x0a\0\x14\0\x10\0$long$back\x50\x10\xff\xff\0\0\0\0$data"
  seed close "$syn$accept\x12\0\x28\0$whole$tcp$header\x50\x11\xff\xff\0\0\0\0\x11\0\x28\0$whole$tcp$back\x50\x11\xff\xff\0\0\0\0"
  seed udp "\x12\0\x1c\0$whole$udp$client$vip\x9c\x40\0\x35\0\x08\0\0\x11\0\x1c\0$whole$udp$dip$client\0\x35\x9c\x40\0\x08\0\0"
  seed error "$syn\x12\0\x38\0$whole$icmp$client$vip\x03\x04\0\0\0\0\5\x78$tcp$vip$client\0\x50\x9c\x40\0\0\0\1"
  seed complaint "$syn\x11\0\x38\0$whole$icmp$dip$client\x03\x03\0\0\0\0\0\0$tcp$client$dip\x9c\x40\x1f\x90\0\0\0\1"
  seed probe "\x93\0\x28\0$whole$tcp$dip$prober\x1f\x90\x9c\x40$numbers\x50\x12\xff\xff\0\0\0\0"
  seed plain "\0\0\x3c\0$whole\x45\0\0\x3c\0\0\x40\0\x40\x04\x66\xac\x0a\0\0\1\x0a\1\0\1$tcp$header\x50\x02\xff\xff\0\0\0\0"
}

# The kind of peer and the state, then events, see BGPTarget.swift; \x14 is Established, \x0c OpenSent.
seed_bgp() {
  local marker='\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'
  seed open "\x0e\0\0\x1a\0\4\xfd\xe9\0\x1e\x0a\0\0\2\x0e\2\x0c\1\4\0\1\0\1\2\0\x40\2\0\x78\0\3\0\0"
  seed update "\x14\0\1\x1b\0\0\0\0\x12\x40\1\1\0\x40\2\4\2\1\xfd\xe9\x40\3\4\x0a\0\0\2\x18\xc6\x33\x64"
  seed withdraw "\x16\0\1\x08\0\0\4\x18\xc6\x33\x64\0\0"
  seed notification "\x14\0\2\x09\0\6\2\6closed"
  seed refresh "\x14\0\4\4\0\0\1\0\1"
  seed stream "\x14\6\x13\0$marker\0\x13\4\6\x13\0$marker\0\x17\2"
  seed life "\0\x0b\x0a\x08\x0e\x0e\x0e\x0d\x20\x2d\x18\x20\x28\x0c"
}

fuzz_mux() { run mux 2048 Entry FuzzedPacket MuxTarget -- Wire Dataplane Mux; }
fuzz_host() { run host 2048 Entry FuzzedPacket HostTarget -- Wire Dataplane HostAgent; }
fuzz_bgp() { run bgp 4200 Entry BGPTarget -- Wire BGP; }

case $choice in
  mux | host | bgp) "fuzz_$choice" ;;
  all) fuzz_mux; fuzz_host; fuzz_bgp ;;
  *) echo "usage: fuzz.sh [mux|host|bgp|all] [SECONDS]" >&2; exit 2 ;;
esac
