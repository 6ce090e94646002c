import Control
import Wire

/// What a VM sees of another tenant's VM on the same host that has used all its ports and goes on asking.
public struct CrowdMeasurement: Codable, Hashable, Sendable {
  /// Handshakes without the other.
  public var alone = Distribution(milliseconds: [])
  /// Handshakes beside the other's client, of whose packets none leaves its VM: what the client itself takes of the
  /// machine, which is the lab's doing.
  public var besideClient = Distribution(milliseconds: [])
  /// Handshakes beside it.
  public var beside = Distribution(milliseconds: [])
  /// What failed of both.
  public var failed = 0
  /// The other's ports in use when the second run began.
  public var heavyPorts = 0
  /// The most it may have.
  public var heavyCap = 0
  /// What became of its connections.
  public var heavy = OutboundReport()

  /// Where the client connects when its packets are to end in the VM (RFC 5737, documentation).
  private static let nowhere = IPv4Address(192, 0, 2, 1)

  /// Connects one by one: without the heavy VM, beside a client in it that reaches nothing, and beside the heavy VM.
  public static func take(
    in lab: Lab, scene: OutboundScene, connections: Int = 1_000, perSecond: Int = 50
  ) async throws(LabError) -> Self {
    guard let heavy = scene.heavy else {
      throw LabError(.topology, "No VM of another service is on the host of \(scene.busy).")
    }
    var measured = CrowdMeasurement()
    measured.heavyCap =
      lab.topology.offers.map(\.service).first { $0.snat.contains(heavy) }?.snatPortsPerMachine ?? 0
    let load = OutboundLoad(
      targets: scene.targets, count: connections, concurrency: 100, perSecond: perSecond)
    // Once unmeasured, so that both runs have ports at hand.
    _ = try await lab.reach(from: scene.busy, load)
    let alone = try await lab.reach(from: scene.busy, load)
    // It has this long to use all its ports, and five seconds more than the second run takes.
    let patience = 15
    // To one server, so that each port has one connection; what gets none is given up and tried again.
    let seconds = connections / max(perSecond, 1) + patience + 5
    let storm = OutboundLoad(
      targets: scene.second, count: 10_000_000, concurrency: 500, timeoutMilliseconds: 250, keepSeconds: 0,
      seconds: seconds)
    measured.besideClient = try await handshakes(in: lab, scene, load, besideClientOf: heavy, storm)
    let storming = Task { try await lab.reach(from: heavy, storm, isYielding: true) }
    let cap = measured.heavyCap
    var ports = 0
    try await Patience.wait(upTo: patience * 1000) { () async throws(LabError) in
      ports = try await lab.ports().first { $0.vm == heavy }?.inUse ?? 0
      return ports >= cap
    }
    measured.heavyPorts = ports
    let beside = try await lab.reach(from: scene.busy, load)
    measured.heavy = try await BackendStopMeasurement.value(of: storming)
    measured.alone = alone.handshakes
    measured.beside = beside.handshakes
    measured.failed = alone.failed + beside.failed
    return measured
  }

  private static func handshakes(
    in lab: Lab, _ scene: OutboundScene, _ load: OutboundLoad, besideClientOf heavy: String,
    _ storm: OutboundLoad
  ) async throws(LabError) -> Distribution {
    // What comes in by `lo` and is for nobody here is dropped without a word, as at a host that has no port.
    try await lab.command(in: heavy, ["ip", "route", "add", "\(nowhere)/32", "dev", "lo"]).check()
    var idle = storm
    idle.targets = [OutboundLoad.Target(address: nowhere, port: 80)]
    idle.seconds = load.count / max(load.perSecond, 1) + 2
    let chosen = idle
    let storming = Task { try await lab.reach(from: heavy, chosen, isYielding: true) }
    let report = try await lab.reach(from: scene.busy, load)
    _ = try await BackendStopMeasurement.value(of: storming)
    try await lab.command(in: heavy, ["ip", "route", "del", "\(nowhere)/32"]).check()
    return report.handshakes
  }

  /// The measurement as text.
  public var text: String {
    """
    a VM beside a heavy one:  \(failed) failed
      handshakes without it:  \(alone.text)
      beside its client only: \(besideClient.text)
      handshakes beside it:   \(beside.text)
      the heavy one: \(heavyPorts) of \(heavyCap) ports in use, \(heavy.attempted) connections tried, \(heavy.failed) got none

    """
  }
}
