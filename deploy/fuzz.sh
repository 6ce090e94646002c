#!/usr/bin/env bash
# Drives the multiplexer with libFuzzer under AddressSanitizer.
#
#   fuzz.sh [SECONDS] [CORPUS-DIRECTORY]      60 seconds by default; the corpus is kept if a directory is given
set -euo pipefail
seconds=${1:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpus=${2:-$work/corpus}
mkdir -p "$corpus" "$work/modules"

cd "$work/modules"
for module in Wire Dataplane Mux; do
  swiftc -O -wmo -parse-as-library -swift-version 6 -sanitize=address -sanitize=fuzzer \
    -enable-experimental-feature Lifetimes -module-name "$module" -I . \
    -emit-module -emit-module-path "$module.swiftmodule" -c "$root/Sources/$module"/*.swift -o "$module.o"
done
swiftc -O -parse-as-library -swift-version 6 -sanitize=address -sanitize=fuzzer -enable-experimental-feature Lifetimes \
  -I . "$root/deploy/fuzz/MuxTarget.swift" Wire.o Dataplane.o Mux.o -o "$work/fuzz"

# Without a first packet that is nearly right a fuzzer spends its minutes on the version field.
printf '\0\0\0\0\0\0\0\0\0\0\x45\0\0\x28\0\0\x40\0\x40\x06\0\0\xc6\x33\x64\x0a\xcb\0\x71\x0a\x9c\x40\0\x50\0\0\0\1\0\0\0\0\x50\x02\xff\xff\0\0\0\0' > "$corpus/tcp"
printf '\0\0\0\0\0\0\0\0\0\0\x45\0\0\x1c\0\0\x40\0\x40\x11\0\0\xc6\x33\x64\x0a\xcb\0\x71\x0a\x9c\x40\0\x35\0\x08\0\0' > "$corpus/udp"
printf '\0\0\0\0\0\0\0\0\0\0\x45\0\0\x1c\0\0\x40\0\x40\x01\0\0\xc6\x33\x64\x0a\xcb\0\x71\x0a\x08\0\0\0\0\1\0\1' > "$corpus/echo"
printf '\0\0\0\0\0\0\0\0\0\0\x45\0\0\x38\0\0\x40\0\x40\x01\0\0\xc6\x33\x64\x0a\xcb\0\x71\x0a\x03\x04\0\0\0\0\5\x78\x45\0\0\x28\0\0\x40\0\x40\x06\0\0\xcb\0\x71\x0a\xc6\x33\x64\x0a\0\x50\x9c\x40\0\0\0\1' > "$corpus/error"

# The backtracer of Swift hangs on the first crash, and with it the fuzzer.
SWIFT_BACKTRACE=enable=no "$work/fuzz" -max_total_time="$seconds" -max_len=2048 -rss_limit_mb=2048 -print_final_stats=1 "$corpus"
