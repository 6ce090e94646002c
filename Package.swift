// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target speaks the same dialect.
let dialect: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func library(_ name: String, _ needs: Target.Dependency...) -> Target {
  .target(name: name, dependencies: needs, swiftSettings: dialect)
}
func program(_ name: String, _ needs: Target.Dependency...) -> Target {
  .executableTarget(name: name, dependencies: needs + [arguments], swiftSettings: dialect)
}
func tests(_ name: String, _ needs: Target.Dependency...) -> Target {
  .testTarget(name: name + "Tests", dependencies: needs, swiftSettings: dialect)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let sqlite = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
let lifecycle: [Target.Dependency] = [
  .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
  .product(name: "UnixSignals", package: "swift-service-lifecycle"),
]
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let x509: [Target.Dependency] = [
  .product(name: "SwiftASN1", package: "swift-asn1"),
  .product(name: "X509", package: "swift-certificates"),
]
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let grpc: [Target.Dependency] = [
  .product(name: "GRPCCore", package: "grpc-swift-2"),
  .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
  .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
  .product(name: "NIOCertificateReloading", package: "swift-nio-extras"),
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOSSL", package: "swift-nio-ssl"),
  protobuf,
]

let package = Package(
  name: "ananta",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
  ],
  targets: [
    // Core: no system call, clock, thread, lock or randomness of its own.
    library("Wire"),
    library("Dataplane", "Wire"),
    library("Control", "Wire"),
    library("BGP", "Wire"),
    library("Paxos"),
    library("SEDA"),
    library("Mux", "Dataplane", "Wire"),
    library("HostAgent", "Dataplane", "Wire"),
    library("Manager", "Control", "Wire"),
    library("Simulator", "Manager", "Paxos", "SEDA", "HostAgent", "Dataplane", "Control", "Wire"),

    // Shell: the kernel, the disk, the network.
    .target(name: "CLinux"),
    .systemLibrary(
      name: "CNetlink", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
    .systemLibrary(name: "CBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"])]),
    library("Platform", "CBPF", "CLinux", "CNetlink", "Wire"),
    // The programs of Sources/Kernel, which the plugin compiles for the kernel, and their loader.
    .plugin(name: "KernelObject", capability: .buildTool()),
    .target(
      name: "KernelPath", dependencies: ["Dataplane", "Platform", "Wire"], swiftSettings: dialect,
      plugins: ["KernelObject"]),
    library("Speaker", "BGP", "Wire", "CLinux", logging),
    library("Replication", "Paxos", "Manager", "Control", logging),
    library("Management", "Manager", "SEDA", "Control", logging),
    library("Storage", "Paxos", "Replication", sqlite),
    .target(
      name: "PKI",
      dependencies: ["Control", "Wire", .product(name: "Crypto", package: "swift-crypto")] + x509,
      swiftSettings: dialect),
    .target(
      name: "Transport",
      dependencies: ["Control", "Paxos", "PKI", "Replication", "Wire", logging] + x509 + grpc,
      exclude: ["Protocol/ananta.proto"],
      swiftSettings: dialect),
    library("Manifest", "Control", "Wire", yaml),
    library("Presentation", "Control", "Manifest", "Wire"),
    library("Lab", "Control", "Wire", yaml, subprocess),

    // Programs: each joins the core to the kernel.
    program(
      "ananta-agent", "Wire", "Dataplane", "Control", "Mux", "HostAgent", "Manager", "Platform", "KernelPath",
      "Speaker",
      "Management", "Replication", "Storage", "Transport", "Manifest", logging, lifecycle[0], lifecycle[1]),
    program("ananta-ctl", "Control", "Manifest", "PKI", "Presentation", "Transport", "Wire"),
    program("ananta-lab", "Lab", "Transport", "Control", "Wire", logging),
    program("ananta-sim", "Simulator"),
    program("ananta-bench", "Mux", "Dataplane", "KernelPath", "Platform", "Wire"),

    // Tests.
    .target(
      name: "PacketBuilder", dependencies: ["Wire"], path: "Tests/PacketBuilder", swiftSettings: dialect),
    tests("Wire", "Wire", "PacketBuilder"),
    tests("Dataplane", "Dataplane", "Wire", "PacketBuilder"),
    tests("Segmenter", "Dataplane", "Wire", "PacketBuilder"),
    .target(name: "CMallocCount", path: "Tests/CMallocCount"),
    tests("Mux", "Mux", "Dataplane", "KernelPath", "Platform", "Wire", "PacketBuilder", "CMallocCount"),
    tests("HostAgent", "HostAgent", "Dataplane", "KernelPath", "Platform", "Wire", "CMallocCount"),
    tests("BGP", "BGP", "Wire"),
    tests("Paxos", "Paxos"),
    tests("SEDA", "SEDA"),
    tests("Control", "Control", "Wire"),
    tests("Manager", "Manager", "Control", "Wire"),
    tests("Simulation", "Simulator", "Manager", "Paxos", "Control", "Wire"),
    tests("Platform", "Platform", "Wire"),
    tests("Speaker", "Speaker", "BGP", "Wire", logging),
    tests("Replication", "Replication", "Paxos", "Manager", "Control", "Wire", logging),
    tests("Management", "Management", "Manager", "SEDA", "Control", "Wire", logging),
    tests("Storage", "Storage", "Paxos", "Replication", sqlite),
    tests("PKI", "PKI", "Control", x509[0], x509[1]),
    tests(
      "Transport", "Transport", "Control", "Paxos", "PKI", "Replication", "Wire", logging, protobuf, x509[1]),
    tests("Agent", "ananta-agent", "Control", "Dataplane", "HostAgent", "Transport", "Wire", logging),
    tests("Manifest", "Manifest", "Control", "Wire"),
    tests("Presentation", "Presentation", "Control", "Manifest", "Wire"),
    tests("Lab", "Lab", "ananta-lab", "ananta-agent", "ananta-ctl", "Control", "Wire"),
    .testTarget(name: "TidyTests", exclude: ["unsafe-files.txt"], swiftSettings: dialect),
  ]
)
