#!/usr/bin/env bash
# Swift → eBPF: Embedded Swift for riscv64, whose data layout is BPF's and which has no vector unit, as LLVM IR;
# the IR is retargeted and compiled by clang's BPF back end (docs/kernel.md).
#
#   build.sh SOURCES OUT        SOURCES has a folder for each module; writes OUT/KernelObject.swift and OUT/kernel.o
set -euo pipefail
sources=$1
out=$2
mkdir -p "$out/modules"

# Without traps, which BPF has not: the kernel's verifier proves every access instead.
common=(-Ounchecked -wmo -parse-as-library -Xfrontend -disable-stack-protector -target riscv64-none-none-eabi
  -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes
  -enable-experimental-feature SymbolLinkageMarkers -enable-upcoming-feature ExistentialAny
  -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility
  -warnings-as-errors -package-name ananta -D KERNEL
  -I "$out/modules" -I "$sources/Kernel/include")
for module in Wire Dataplane Mux; do
  swiftc "${common[@]}" -module-name "$module" -emit-module -emit-module-path "$out/modules/$module.swiftmodule" \
    "$sources/$module"/*.swift
done
# Of the host agent the steps that need none of its tables.
swiftc "${common[@]}" -module-name HostAgent -emit-module -emit-module-path "$out/modules/HostAgent.swiftmodule" \
  "$sources/HostAgent"/{Parse,Translation,Congestion}.swift
swiftc "${common[@]}" -module-name Kernel -emit-ir "$sources/Kernel"/*.swift -o "$out/kernel.ll"

# The runtime's weak functions become internal, and are dropped, since nothing here calls them.
sed -e 's/^target triple = .*/target triple = "bpfel"/' \
  -e 's/swiftcc //g' \
  -e 's/\(weak_odr\|linkonce_odr\) \(protected\|hidden\)/internal/; s/^define protected /define internal /' \
  -e '/^@llvm.used/d' \
  -e 's/"target-cpu"="[^"]*"//; s/"target-features"="[^"]*"//; s/sspreq//' \
  "$out/kernel.ll" > "$out/kernel.bpf.ll"
clang -target bpfel -mcpu=v3 -O2 -c "$out/kernel.bpf.ll" -o "$out/kernel.o"

cat > "$out/KernelObject.swift" <<SWIFT
/// The programs that run inside the kernel, compiled from Sources/Kernel and the modules it imports.
enum KernelObject {
  /// An ELF64 object of eBPF, in base64.
  static let base64 = "$(base64 -w0 "$out/kernel.o")"
}
SWIFT
