/// Probes the VMs of a host: `Prober` decides, a `ProbeConnection` asks; pure: packets in, packets out.
///
/// One per host, owned by one thread. It gets every packet for which `HostAgent.outbound` said `.pass`.
public struct HealthMonitor: Sendable {
  /// What happens to it.
  public enum Input: Sendable {
    /// From now on these probes.
    case configure([ProbeTarget])
    /// Time passes; to be told about every 50 ms.
    case tick
    /// A packet of a VM to the probe source, from its IPv4 header on.
    case packet([UInt8], from: UInt32)
  }

  /// What it wants done, in this order.
  public enum Output: Hashable, Sendable {
    /// Write this IPv4 packet, whose checksums are complete, to the VM's device.
    case transmit(machine: UInt32, [UInt8])
    /// To be reported to the manager.
    case healthChanged(ProbeResult)
  }

  /// A VM and a port of ours: what tells connections apart.
  private struct Place: Hashable, Comparable {
    var machine: UInt32
    var port: UInt16
    static func < (a: Self, b: Self) -> Bool { (a.machine, a.port) < (b.machine, b.port) }
  }

  private struct Entry: Sendable {
    var connection: ProbeConnection
    /// The probe that waits for it; nil once it was closed.
    var id: UInt32?
  }

  private var prober = Prober()
  private var connections: [Place: Entry] = [:]
  private var places: [UInt32: Place] = [:]
  private var opened: UInt64 = 0
  private let seed: UInt64

  /// The ports that probes come from: the middle of what Linux uses itself.
  static var firstPort: UInt16 { 32_768 }
  static var portCount: UInt64 { 28_232 }

  /// Starts with nothing to probe.
  ///
  /// - Parameter seed: any number, so that an agent that was restarted does not use the same ports and sequence
  ///   numbers again at once.
  public init(seed: UInt64) { self.seed = seed }

  /// What is known now, for a manager that must be told everything.
  public var results: [ProbeResult] { prober.results }

  /// Takes one event.
  ///
  /// - Parameters:
  ///   - input: the event.
  ///   - now: milliseconds of a clock that never goes back.
  /// - Returns: what is to be done, in this order.
  public mutating func handle(_ input: Input, now: UInt64) -> [Output] {
    switch input {
    case .configure(let targets): return carryOut(prober.handle(.configure(targets)), now)
    case .packet(let packet, let machine):
      guard packet.count >= 24 else { return [] }
      let port = UInt16(packet[22]) << 8 | UInt16(packet[23])
      return feed(.packet(packet), to: Place(machine: machine, port: port), now)
    case .tick:
      var outputs: [Output] = []
      for place in connections.keys.sorted() { outputs += feed(.tick, to: place, now) }
      return outputs + carryOut(prober.handle(.tick(now: now)), now)
    }
  }

  /// Tells a connection something, and the prober what came of it.
  private mutating func feed(_ input: ProbeConnection.Input, to place: Place, _ now: UInt64) -> [Output] {
    guard var entry = connections[place] else { return [] }
    let news = entry.connection.handle(input, now: now)
    connections[place] = entry.connection.isFinished ? nil : entry
    var outputs: [Output] = []
    for item in news {
      guard case .transmit(let packet) = item else {
        if let id = entry.id { outputs += carryOut(inform(id, item), now) }
        continue
      }
      outputs.append(.transmit(machine: place.machine, packet))
    }
    return outputs
  }

  private mutating func inform(_ id: UInt32, _ news: ProbeConnection.Output) -> [Prober.Output] {
    switch news {
    case .transmit: []
    case .connected: prober.handle(.connected(id: id))
    case .refused: prober.handle(.refused(id: id))
    case .received(let bytes): prober.handle(.received(id: id, bytes))
    case .closed: prober.handle(.closed(id: id))
    }
  }

  private mutating func carryOut(_ wishes: [Prober.Output], _ now: UInt64) -> [Output] {
    var outputs: [Output] = []
    for wish in wishes {
      switch wish {
      case .healthChanged(let result): outputs.append(.healthChanged(result))
      case .send(let id, let bytes):
        if let place = places[id] { outputs += feed(.send(bytes), to: place, now) }
      case .close(let id):
        guard let place = places.removeValue(forKey: id) else { break }
        connections[place]?.id = nil
        outputs += feed(.close, to: place, now)
      case .open(let id, let machine, let address, let port):
        guard let place = unusedPlace(machine) else { break }
        let mixed = (seed ^ opened).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        let connection = ProbeConnection(
          to: address, port: port, from: place.port,
          sequence: UInt32(truncatingIfNeeded: mixed.high ^ mixed.low), now: now)
        connections[place] = Entry(connection: connection, id: id)
        places[id] = place
        for case .transmit(let packet) in connection.start() {
          outputs.append(.transmit(machine: machine, packet))
        }
      }
    }
    return outputs
  }

  /// A port that no connection to this VM uses.
  private mutating func unusedPlace(_ machine: UInt32) -> Place? {
    for _ in 0..<64 {
      opened &+= 1
      let offset = (seed &+ opened) % Self.portCount
      let place = Place(machine: machine, port: Self.firstPort + UInt16(offset))
      if connections[place] == nil { return place }
    }
    return nil
  }
}
