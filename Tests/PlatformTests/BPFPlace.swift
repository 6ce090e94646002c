import Foundation
import Platform

/// A bpffs of the test's own, which goes with its owner and everything that is pinned there.
struct BPFPlace: ~Copyable {
  let mountPoint: String
  let filesystem: BPFFilesystem
  static let everywhere = [["nsenter", "-t", "1", "-m"], []]

  init() throws {
    let mountPoint = "/run/plattest-bpf-\(UUID().uuidString)"
    self.mountPoint = mountPoint
    filesystem = try BPFFilesystem.open(mountPoint + "/node/one", mountingAt: mountPoint)
  }

  deinit {
    // Among the mounts of process 1, or where those cannot be entered among one's own; lazily, since the
    // descriptor is still open.
    for words in Self.everywhere { _ = try? Command.lines(words + ["umount", "-l", mountPoint]) }
    unsafe rmdir(mountPoint)
  }
}

/// Two ends of a cable in a namespace of the test's own: `v0` and `v1`, both up.
struct VethPair: ~Copyable {
  let test: TestNamespace
  let near: Int32
  let far: Int32

  init() throws {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    try Command.change(in: test.name, "addr", "add", "10.9.9.1/24", "dev", "v0")
    for name in ["v0", "v1"] { try Command.change(in: test.name, "link", "set", name, "up") }
    let netlink = try Netlink.open(in: test.namespace)
    let ends = [try netlink.link(named: "v0").index, try netlink.link(named: "v1").index]
    self.test = test
    (near, far) = (ends[0], ends[1])
  }

  /// Sends a packet out by `v0`, which comes in by `v1`; nobody answers.
  borrowing func send() {
    _ = try? Command.lines("ip", "netns", "exec", test.name, "ping", "-c1", "-W1", "-I", "v0", "10.9.9.9")
  }
}

/// Programs that count the packets they meet in a map, and pass them on.
struct CountingPrograms: ~Copyable {
  let map: BPFMap

  init() throws {
    map = try BPFMap.create(
      BPFMapDefinition("seen", .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 2))
  }

  /// A program that adds to the count of a key; XDP_PASS is 2, TC_ACT_OK is 0.
  borrowing func program(_ key: Int32, _ type: BPFProgramType) throws -> BPFProgram {
    let code = BPFCode(
      "count\(key)",
      [
        .store(immediate: key, to: 10, -4, width: 4), .move(2, from: 10), .add(2, -4),
        BPFInstruction(opcode: 0x18, destination: 1), BPFInstruction(opcode: 0),
        .call(helper: 1), .jump(3, if: 0, equals: 0), .load(1, from: 0, 0, width: 8), .add(1, 1),
        .store(1, to: 0, 0, width: 8), .move(0, type == .xdp ? 2 : 0), .exit,
      ], maps: [3: "seen"])
    return try BPFProgram.load(code, type, maps: ["seen": map.descriptor.raw])
  }

  borrowing func count(_ key: UInt32) throws -> UInt64 {
    var values = [UInt64](repeating: 0, count: BPFMap.possibleCPUs)
    var span = values.mutableSpan
    _ = try map.values(of: key, into: &span)
    return values.reduce(0, +)
  }
}
