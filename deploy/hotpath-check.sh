#!/usr/bin/env bash
# Proves that functions of the packet path, and all of ours that they call, call nothing of the Swift runtime or of
# malloc: no allocation, no reference counting, no lock, no throw. Reads machine code, so it judges what really runs.
#
#   hotpath-check.sh BINARY-OR-OBJECT[,OBJECT...] 'REGEX'...
#
# Each REGEX is matched against demangled names, e.g. '^Mux\.process\('. Exit status 1 when a function is at fault or
# a REGEX matches no function; 2 when the tools are missing.
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: $0 BINARY-OR-OBJECT[,OBJECT...] REGEX..." >&2
  exit 2
fi
for tool in nm objdump swift; do
  command -v "$tool" > /dev/null || { echo "$tool is missing: install binutils and a Swift toolchain" >&2; exit 2; }
done

IFS=, read -r -a files <<< "$1"
shift
forbidden='^(swift_|malloc|calloc|realloc|free|posix_memalign|aligned_alloc|pthread_|_Znwm|_ZdlPv|_Unwind|__cxa)'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# symbol, demangled name, file
for file in "${files[@]}"; do
  nm --defined-only "$file" | awk '$2 ~ /^[TtWV]$/ { print $3 }' | sort -u > "$work/symbols"
  swift demangle --simplified --compact < "$work/symbols" > "$work/names"
  paste -d '\t' "$work/symbols" "$work/names" | sed "s|\$|\t$file|" >> "$work/table"
done

# The functions that a function calls or jumps to.
callees() {
  local symbol=$1 file=$2
  objdump -dr --no-show-raw-insn --disassemble="$symbol" "$file" \
    | awk -v self="$symbol" '
        function number(hex,   n, i) {
          n = 0
          for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
          return n
        }
        { place = $1; sub(/:.*/, "", place) }
        /^ +[0-9a-f]+:/ && first == "" { first = number(place) }
        # Before the first instruction objdump lists the relocations of all that lies before the function.
        /R_(X86_64|AARCH64)_/ && (first == "" || number(place) < first) { next }
        /R_X86_64_PLT32|R_X86_64_PC32|R_AARCH64_CALL26|R_AARCH64_JUMP26/ { name = $NF; sub(/[-+]0x[0-9a-f]+$/, "", name); if (name !~ /^\./) print name }
        /[ \t](call|callq|jmp|jmpq|bl|b)[ \t].*<.*>/ {
          name = $0; sub(/.*</, "", name); sub(/>.*/, "", name); sub(/@.*/, "", name)
          if (name !~ /\+0x/ && name != self) print name
        }' | sort -u
}

bad=0
for regex in "$@"; do
  awk -F '\t' -v regex="$regex" '$2 ~ regex { print $1 }' "$work/table" > "$work/queue"
  if [ ! -s "$work/queue" ]; then
    echo "FAIL no function matches $regex"
    bad=1
    continue
  fi
  cp "$work/queue" "$work/seen"
  while [ -s "$work/queue" ]; do
    symbol=$(head -n 1 "$work/queue")
    sed -i 1d "$work/queue"
    row=$(awk -F '\t' -v symbol="$symbol" '$1 == symbol { print; exit }' "$work/table")
    file=${row##*$'\t'}
    name=$(cut -f 2 <<< "$row")
    callees "$symbol" "$file" > "$work/callees"
    faults=$(grep -E "$forbidden" "$work/callees" | tr '\n' ' ' || true)
    if [ -n "$faults" ]; then
      echo "FAIL $name: calls $faults"
      bad=1
    else
      echo "ok   $name"
    fi
    # Follow calls into our own code; what is not in these files is libc, and its names were judged above.
    while read -r callee; do
      if ! grep -qxF -- "$callee" "$work/seen" && awk -F '\t' -v s="$callee" '$1 == s { found = 1; exit } END { exit !found }' "$work/table"; then
        echo "$callee" >> "$work/seen"
        echo "$callee" >> "$work/queue"
      fi
    done < "$work/callees"
  done
done
exit $bad
