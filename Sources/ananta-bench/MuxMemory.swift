import Dataplane
import Foundation
import Mux
import Wire

/// A multiplexer as large as the paper's, and what it keeps in memory (Ananta, SIGCOMM 2013 §4: 20,000 endpoints and
/// 1.6 million SNAT ports in 1 GB).
final class MuxMemory {
  /// Services, each with a VIP of its own and `ports` endpoints on the same VMs.
  struct Size {
    var services: Int
    var ports: Int
    var machines: Int
    var endpoints: Int { services * ports }
  }

  /// Ports leased of all VIPs together.
  private static let snatPorts = 1_600_000
  private static let portsPerRange = 8

  private let map: VIPMap
  private let mux: Mux
  /// What was not there before.
  let megabytes: Double

  private init(_ size: Size) throws {
    let before = try Self.resident()
    let ranges = SNATRanges()
    try Self.lease(Self.snatPorts / Self.portsPerRange, of: size, in: ranges)
    map = try VIPMap(seed: 0x5eed).updated(endpoints: Self.endpoints(size), now: 0)
    mux = Mux(address: IPv4Address(10, 0, 0, 1), map: map, ranges: ranges, counters: MuxCounters())
    precondition(ranges.count * Self.portsPerRange == Self.snatPorts, "every range is leased")
    megabytes = Double(try Self.resident() - before) / 1e6
  }

  static var measurements: [Measurement] {
    [
      measurement("20,000 endpoints of 400 services", Size(services: 400, ports: 50, machines: 6)),
      measurement("20,000 endpoints of 2,000 services", Size(services: 2_000, ports: 10, machines: 6)),
    ]
  }

  /// Made once and kept: what is made anew after it was freed would find memory that is there already.
  private static func measurement(_ name: String, _ size: Size) -> Measurement {
    var kept: MuxMemory?
    return Measurement("memory of a MUX, \(name), 1.6 million SNAT ports", unit: "MB") {
      let memory = try kept ?? MuxMemory(size)
      kept = memory
      return memory.megabytes
    }
  }

  private static func vip(_ service: Int) -> IPv4Address {
    IPv4Address(number: 0xcb00_0000 + UInt32(service))
  }

  private static func locator(_ number: Int) -> IPv4Address {
    IPv4Address(number: 0x0a01_0001 + UInt32(number))
  }

  private static func endpoints(_ size: Size) -> [EndpointConfiguration] {
    (0..<size.endpoints).map { number in
      let service = number / size.ports
      let backends = (0..<size.machines).map {
        WeightedBackend(locator: locator(service * size.machines + $0))
      }
      return EndpointConfiguration(
        vip: vip(service), port: UInt16(number % size.ports + 1), proto: .tcp, backends: backends)
    }
  }

  /// Leases the ranges of each service to its VMs in turn.
  private static func lease(_ count: Int, of size: Size, in ranges: SNATRanges) throws {
    let first = Int(Limits.firstSNATPort)
    for number in 0..<count {
      let service = number % size.services
      let turn = number / size.services
      let port = UInt16(first + turn * portsPerRange)
      let machine = service * size.machines + turn % size.machines
      try ranges.lease(SNATRange(vip: vip(service), holding: port), to: locator(machine))
    }
  }

  /// Bytes of this process that are in memory now (proc(5), `statm`).
  private static func resident() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
