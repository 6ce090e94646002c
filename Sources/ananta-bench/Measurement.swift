import Dataplane
import Wire

/// Something that can be measured, and what it took.
struct Measurement {
  let name: String
  /// Nanoseconds per packet, milliseconds, and so on.
  let unit: String
  /// Runs once and says what it took, in `unit`.
  let body: () throws -> Double
  private(set) var rounds: [Double] = []

  init(_ name: String, unit: String, body: @escaping () throws -> Double) {
    self.name = name
    self.unit = unit
    self.body = body
  }

  /// The same with results; a first round warms up and does not count.
  func taken(rounds count: Int) throws -> Measurement {
    var result = self
    _ = try body()
    for _ in 0..<count { result.rounds.append(try body()) }
    return result
  }

  /// The middle round.
  var median: Double { rounds.sorted()[rounds.count / 2] }
  /// The fastest round.
  var least: Double { rounds.min() ?? 0 }
  /// The slowest round.
  var most: Double { rounds.max() ?? 0 }

  /// Nanoseconds that something takes.
  static func nanoseconds(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body)
    return Double(time.components.seconds) * 1e9 + Double(time.components.attoseconds) / 1e9
  }

  /// All that need no privilege.
  static func inUserSpace(packets: Int) throws -> [Measurement] {
    try MuxLoad.measurements(packets: packets) + tables() + checksums() + MuxMemory.measurements
  }

  /// Look-up tables and VIP maps.
  static func tables() -> [Measurement] {
    [3, 100, 655].map { count in
      let backends = (0..<count).map {
        WeightedBackend(locator: IPv4Address(number: 0x0a01_0001 + UInt32($0)))
      }
      return Measurement("Maglev table, 65537 slots, \(count) backends", unit: "ms") {
        nanoseconds {
          let table = MaglevTable.build(backends, hash: PoolHash(seed: 7), slotCount: Limits.slotCount)
          precondition(table.count == Limits.slotCount)
        } / 1e6
      }
    }
  }

  /// The Internet checksum of a full packet.
  static func checksums() -> [Measurement] {
    [20, 1_460].map { count in
      Measurement("checksum of \(count) bytes", unit: "ns") {
        var memory = [UInt8](repeating: 0x5a, count: Frame.headroom + 2_048)
        var total: UInt64 = 0
        let repeats = 200_000
        let time = nanoseconds {
          for _ in 0..<repeats {
            var span = memory.mutableSpan
            guard let frame = Frame(unsafe span.mutableBytes, byteCount: count) else { return }
            var sum = InternetChecksum()
            sum.add(frame, from: 0, byteCount: count)
            total &+= UInt64(sum.value)
          }
        }
        precondition(total > 0)
        return time / Double(repeats)
      }
    }
  }
}
