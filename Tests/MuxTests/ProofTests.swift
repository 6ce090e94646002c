import CMallocCount
import Dataplane
import Foundation
import Mux
import PacketBuilder
import Testing
import Wire

/// No allocation, no lock, no reference counting on the packet path: said by the machine code, by the
/// compiler for machines without an operating system, and by the allocator itself.
@Suite struct ProofTests {
  static let deploy = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../deploy")

  /// Runs a program and returns its status and all it printed.
  func run(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  func script(_ name: String, _ arguments: String...) throws -> (status: Int32, output: String) {
    try run("/usr/bin/env", ["bash", Self.deploy.appending(path: name).path] + arguments)
  }

  /// A directory of its own, removed at the end.
  func withDirectory(_ body: (URL) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "ananta-proof-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory)
  }

  @Test func machineCodeOfThePacketPathCallsNoRuntime() throws {
    try withDirectory { directory in
      let build = try script("hotpath-build.sh", directory.path)
      try #require(build.status == 0, "\(build.output)")
      let objects = ["Wire", "Dataplane", "Mux", "HostAgent"].map {
        directory.appending(path: "\($0).o").path
      }
      let entryPoints = [
        "^Mux\\.process\\(", "^Mux\\.sweep\\(", "^HostAgent\\.inbound\\(", "^HostAgent\\.outbound\\(",
        "^HostAgent\\.sweep\\(", "^HostAgent\\.takeChange\\(", "^HostAgent\\.settle\\(",
        "^Segmenter\\.init\\(", "^Segmenter\\.next\\(",
        "^static Segmenter\\.complete\\(",
        "^Coalescer\\.offer\\(", "^Coalescer\\.take\\(",
      ]
      let check = try run(
        "/usr/bin/env",
        ["bash", Self.deploy.appending(path: "hotpath-check.sh").path, objects.joined(separator: ",")]
          + entryPoints)
      #expect(check.status == 0, "\(check.output)")
      #expect(check.output.contains("ok   Mux.process(_:byteCount:offload:now:)"))
      #expect(check.output.contains("ok   HostAgent.inbound("))
    }
  }

  @Test func theCheckFindsWhatItShallFind() throws {
    try withDirectory { directory in
      let source = directory.appending(path: "Guilty.swift")
      try """
      public struct Guilty {
        var seen: [Int] = []
        public mutating func append(_ number: Int) { seen.append(number) }
        public mutating func indirectly(_ number: Int) { helper(number) }
        @inline(never) func helper(_ number: Int) { print(number) }
        public func innocent(_ number: Int) -> Int { number &* 3 }
      }
      """.write(to: source, atomically: true, encoding: .utf8)
      let object = directory.appending(path: "Guilty.o").path
      let build = try run(
        "/usr/bin/env", ["swiftc", "-O", "-parse-as-library", "-wmo", "-c", source.path, "-o", object])
      try #require(build.status == 0, "\(build.output)")
      #expect(try script("hotpath-check.sh", object, "^Guilty\\.innocent\\(").status == 0)
      #expect(try script("hotpath-check.sh", object, "^Guilty\\.append\\(").status == 1)
      #expect(try script("hotpath-check.sh", object, "^Guilty\\.indirectly\\(").status == 1)
      #expect(try script("hotpath-check.sh", object, "^Guilty\\.absent\\(").status == 1)
      #expect(try script("hotpath-check.sh", object).status == 2)
    }
  }

  @Test func compilesAsEmbeddedSwift() throws {
    let check = try script("embedded-check.sh")
    #expect(check.status == 0, "\(check.output)")
    #expect(check.output.contains("ok   x86_64-unknown-none-elf"))
    #expect(check.output.contains("ok   riscv64-none-none-eabi"))
  }

  @Test func aMillionPacketsAllocateNothing() {
    var bench = Bench()
    bench.configure([Bench.endpoints[0], Bench.endpoints[1]], now: 0)
    var moved = Bench.endpoints[0]
    moved.backends.removeLast()
    bench.configure([moved, Bench.endpoints[1]], now: 1_000)
    // Settled and moving slots, replies, drops: 250,000 packets of each.
    var buffers = [
      FrameBuffer((PacketCase.ip / UDP(5353, 53)).bytes),
      FrameBuffer((PacketCase.ip / TCP(40_000, 80)).bytes),
      FrameBuffer((PacketCase.ip / ICMP.echoRequest(1)).bytes),
      FrameBuffer((IPv4(Bench.client, Bench.vip, checksum: 1) / UDP(1, 1)).bytes),
    ]
    // Without optimisation the runtime makes the types of generic code at their first use.
    for buffer in buffers { _ = bench.send(buffer.bytes(from: 0, count: buffer.byteCount)) }
    let control = malloc_count()
    let probe = [UInt8](repeating: UInt8(buffers.count), count: 100)
    #expect(probe.count == 100 && malloc_count() > control, "the counter counts")

    var allocations: UInt = 0
    var transmitted = 0
    for round in 0..<250_000 as Range<UInt32> {
      for place in buffers.indices {
        var offload = Offload()
        let count = buffers[place].byteCount
        // Counted inside, since the bench around it is test code and does allocate.
        let verdict = buffers[place].withSpan { span in
          let before = malloc_count()
          let verdict = bench.mux.process(span, byteCount: count, offload: &offload, now: 2_000 &+ round)
          allocations &+= malloc_count() &- before
          return verdict
        }
        if case .transmit = verdict { transmitted &+= 1 }
      }
      let before = malloc_count()
      bench.mux.sweep(now: 2_000 &+ round)
      allocations &+= malloc_count() &- before
    }
    #expect(allocations == 0)
    // The echo request is a reply after its first way through, and dropped from then on.
    #expect(transmitted == 500_001)
  }
}
