#!/usr/bin/env bash
# Compiles the modules that also run inside the kernel as Embedded Swift, for a machine without an operating system:
# an existential, a metatype or anything else that needs the runtime is an error there.
#
#   embedded-check.sh [SOURCE-ROOT]
#
# riscv64 is the target that eBPF programs are compiled through: its data layout is BPF's.
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for target in x86_64-unknown-none-elf riscv64-none-none-eabi; do
  out=$work/$target
  mkdir -p "$out"
  for module in Wire Dataplane Mux; do
    sources=("$root/Sources/$module"/*.swift)
    # What is generic over its tables exists only where it is used.
    [ "$module" = Mux ] && sources+=("$root/deploy/embedded/Probe.swift")
    swiftc -O -wmo -parse-as-library -Xfrontend -disable-stack-protector -target "$target" \
      -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes \
      -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
      -enable-upcoming-feature MemberImportVisibility -strict-memory-safety -package-name ananta -warnings-as-errors \
      -module-name "$module" -I "$out" -emit-module -emit-module-path "$out/$module.swiftmodule" \
      -c "${sources[@]}" -o "$out/$module.o"
  done
  # Nothing may be missing but what every C compiler expects, and the allocator of Embedded Swift's own runtime.
  missing=$(nm -u "$out/Mux.o" | awk '{ print $2 }' | grep -vE '^(_?\$s4Wire|_?\$s9Dataplane|memcpy|memmove|memset|free|posix_memalign)' | tr '\n' ' ' || true)
  if [ -n "$missing" ]; then
    echo "FAIL $target: Mux needs $missing"
    exit 1
  fi
  # That runtime is linked weakly into every object, but a packet must not get there.
  if [ "$target" = "$(uname -m)-unknown-none-elf" ]; then
    "$(dirname "$0")/hotpath-check.sh" "$out/Mux.o" '^ananta_probe$'
  fi
  echo "ok   $target"
done
