public import Dataplane
public import Platform

/// Runs the MUX's program on packet after packet inside the kernel, to learn what it costs.
///
/// A program of its own makes the packets (Sources/Kernel/Replay.swift): no packet is copied, no system call lies
/// between two of them, and each run finds a packet that the run before has not changed. It has one buffer, which
/// stays in the cache: the figures are what the program costs, not what the device does.
public final class KernelReplay {
  /// The program that the packets go to.
  public enum Subject: Sendable {
    /// One that sends every packet back (XDP_TX) and does nothing else.
    case floor
    /// The MUX's program for XDP.
    case mux
  }

  /// What became of packets.
  public struct Outcome: Hashable, Sendable {
    /// CPU time of all packets together, with that of the system call.
    public let nanoseconds: UInt64
    /// Packets that kept their length.
    public let unchanged: UInt64
    /// Packets that an outer IPv4 header was put before.
    public let encapsulated: UInt64
    /// Packets that could not be made, or came out with another length.
    public let failed: UInt64
    /// What the program returned for the last one, such as 2 for XDP_PASS.
    public let returnValue: UInt32
  }

  private let kernel: MuxKernel
  private let replay: BPFProgram
  /// Sends every packet back (XDP_TX) and does nothing else.
  public let floor: BPFProgram
  /// Counts what arrives and drops it; to be attached where a measured way ends.
  public let sink: BPFProgram
  private let subject: BPFMap
  private let load: BPFMapMemory
  private let arrived: BPFMapMemory
  private var frame: [UInt8] = []

  /// Loads the programs that measure, beside those of a MUX.
  public init(_ kernel: MuxKernel) throws(PlatformError) {
    let object = try KernelPrograms.object()
    let subject = try BPFMap.create(
      BPFMapDefinition("replay_subject", .programArray, keySize: 4, valueSize: 4, maxEntries: 1))
    let definition = BPFMapDefinition(
      "replay_load", .array, keySize: 4, valueSize: MemoryLayout<KernelLoad>.size, maxEntries: 1,
      flags: .mappable)
    let loads = try BPFMap.create(definition)
    let counts = try BPFMap.create(definition)
    replay = try BPFProgram.load(
      try object.program(named: "ananta_replay"), .xdp,
      maps: ["replay_subject": subject.descriptor.raw, "replay_load": loads.descriptor.raw])
    floor = try BPFProgram.load(try object.program(named: "ananta_floor"), .xdp)
    sink = try BPFProgram.load(
      try object.program(named: "ananta_sink"), .xdp, maps: ["replay_load": counts.descriptor.raw])
    load = try loads.memory()
    arrived = try counts.memory()
    self.subject = subject
    self.kernel = kernel
  }

  /// Takes a frame as the model of all that follow: Ethernet, IPv4 without options, TCP or UDP; 64 bytes at least.
  ///
  /// Each of `flowCount` connections has a source of its own, from the frame's on, and a port that follows
  /// from it. They go to `portCount` ports from the frame's on, or to that one.
  public func prepare(_ frame: [UInt8], _ order: KernelLoad.Order, flowCount: UInt32, portCount: UInt16 = 0) {
    precondition(frame.count >= 64, "a frame of 64 bytes at least")
    var next = KernelLoad()
    for place in 0..<8 {
      next.headers[place] = frame[(8 * place)..<(8 * place + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    next.byteCount = UInt32(frame.count)
    next.order = order.rawValue
    next.flowCount = flowCount
    next.portCount = UInt32(portCount)
    func number(_ offset: Int) -> UInt32 { UInt32(frame[offset]) << 8 | UInt32(frame[offset + 1]) }
    next.firstSource = number(26) << 16 | number(28)
    next.partialSum = [14, 16, 18, 20, 22, 30, 32].reduce(0) { $0 + number($1) }
    load[0, as: KernelLoad.self] = next
    self.frame = frame
    var counts = KernelLoad()
    counts.byteCount = next.byteCount
    arrived[0, as: KernelLoad.self] = counts
  }

  /// Really sends packets out of a device of this thread's namespace, by its index, in batches of 64 (Linux 5.18).
  ///
  /// The device at the other end of a veth pair needs an XDP program, or generic receive offload.
  public func send(packets: Int, device: Int32) throws(PlatformError) {
    try subject.insert(floor, at: UInt32(0))
    // The program takes away what is too long, which leaves more than the 256 bytes of room that XDP at the
    // end of the way asks for: an encapsulated socket buffer would be copied there, and the copy charged to
    // who encapsulated it.
    let spare = [UInt8](repeating: 0, count: 64)
    _ = try replay.testRun(
      spare + frame, context: .xdp(device: device), repeating: packets, growth: 64, liveFrames: true,
      batch: 64)
  }

  /// What has come to `sink` since the load was prepared: packets as they were sent, encapsulated ones, others.
  public var sunk: (unchanged: UInt64, encapsulated: UInt64, other: UInt64) {
    let counts = arrived[0, as: KernelLoad.self]
    return (counts.unchanged, counts.grown, counts.other)
  }

  /// Sends packets to a program, which come in by a device of this thread's namespace, by its index.
  ///
  /// The order of connections goes on where it was; the first packet is always the frame itself.
  public func run(_ program: Subject, packets: Int, device: Int32) throws(PlatformError) -> Outcome {
    switch program {
    case .floor: try subject.insert(floor, at: UInt32(0))
    case .mux: try subject.insert(kernel.xdp, at: UInt32(0))
    }
    let before = load[0, as: KernelLoad.self]
    let start = CPUClock.nanoseconds
    let run = try replay.testRun(frame, context: .xdp(device: device), repeating: packets, growth: 64)
    let time = CPUClock.nanoseconds - start
    let after = load[0, as: KernelLoad.self]
    // The program that makes packets counts what the run before left, so it sees a fresh one first and misses
    // the last.
    let isGrown: UInt64 = run.data.count == frame.count + 20 ? 1 : 0
    let isUnchanged: UInt64 = run.data.count == frame.count ? 1 : 0
    return Outcome(
      nanoseconds: time, unchanged: after.unchanged - before.unchanged + isUnchanged - 1,
      encapsulated: after.grown - before.grown + isGrown,
      failed: after.failed - before.failed + after.other - before.other + (1 - isGrown - isUnchanged),
      returnValue: run.returnValue)
  }
}
