#!/usr/bin/env bash
# Compiles the modules of the packet path as the release build does, for hotpath-check.sh: OUT/MODULE.o each.
# The compiler's own proof, @_noLocks on the entry points, is demanded here too.
#
#   hotpath-build.sh OUT [SOURCE-ROOT]
set -euo pipefail
out=$1
root=${2:-$(cd "$(dirname "$0")/.." && pwd)}
mkdir -p "$out"
for module in Wire Dataplane Mux HostAgent; do
  [ -d "$root/Sources/$module" ] || continue
  swiftc -O -wmo -parse-as-library -swift-version 6 -strict-memory-safety -package-name ananta -warnings-as-errors \
    -enable-experimental-feature Lifetimes -enable-upcoming-feature ExistentialAny \
    -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility \
    -module-name "$module" -I "$out" -emit-module -emit-module-path "$out/$module.swiftmodule" \
    -c "$root/Sources/$module"/*.swift -o "$out/$module.o"
done
