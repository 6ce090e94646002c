import Control
import Foundation
import Manager
import Testing
import Wire

/// 200,000 ranges of 25 VIPs: an entry about one says no more than it has to, and all are kept and told whole.
///
/// What that takes is printed, and not judged.
@Suite("Many leased ports") struct PortCapacityTests {
  private static let vips = 25
  private static let machines = 16 * vips
  private static let rangesPerMachine = 500
  private static let author = Author(name: "test", at: 0)

  private static func name(_ index: Int) -> String { "vm\(index)" }

  private static var resources: [Resource] {
    let hosts = (0..<vips).map { index in
      Resource.node(
        Node(
          name: "host\(index)", address: IPv4Address(10, 1, UInt8(index), 2), roles: [.host],
          locators: IPv4Prefix(IPv4Address(10, 64, UInt8(index), 0), length: 26)))
    }
    let machines = (0..<machines).map { index in
      Resource.virtualMachine(
        VirtualMachine(
          name: name(index), network: "blue", dip: IPv4Address(10, 0, UInt8(index >> 8), UInt8(index & 255)),
          host: "host\(index / 16)", attachment: .networkNamespace(name: name(index), device: "eth0")))
    }
    let services = (0..<vips).map { index in
      Resource.service(
        Service(
          name: "web\(index)", vip: IPv4Address(203, 0, 113, UInt8(index)), endpoints: [],
          snat: (0..<16).map { name(16 * index + $0) }, snatPortsPerMachine: 8 * rangesPerMachine))
    }
    let muxes = (0..<4).map { index in
      Resource.node(
        Node(name: "mux\(index)", address: IPv4Address(10, 2, UInt8(index), 2), roles: [.mux]))
    }
    let network = VirtualNetwork(name: "blue", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 16)])
    return hosts + muxes + [.virtualNetwork(network)] + machines + services
  }

  private struct Cluster {
    var state = ManagerState()
    var commands = 0

    mutating func apply(_ entry: Entry) {
      commands = state.apply(entry, at: Revision(state.revision.number + 1)).reduce(0) {
        $0 + $1.commands.count
      }
    }
  }

  private static func octets() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }

  private static func microseconds(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body)
    return Double(time.components.attoseconds) / 1e12 + Double(time.components.seconds) * 1e6
  }

  @Test("200,000 ranges") func many() throws {
    var cluster = Cluster()
    cluster.apply(.operation(.apply(Self.resources), by: Self.author))
    let locators = cluster.state.locators.values.sorted()
    #expect(locators.count == Self.machines)
    let empty = Self.octets()
    var time: UInt64 = 1000
    while ManagerSnapshot(cluster.state).ports?.grants.reduce(0, { $0 + $1.ports.count }) ?? 0 < 200_000 {
      time += 1000
      #expect(time < 30_000)
      cluster.apply(.portsRequested(locators.map(PortRequest.init), at: time))
    }
    let full = Self.octets()
    let range = try #require(ManagerSnapshot(cluster.state).ports?.grants.last)
    let locator = try #require(cluster.state.locators[range.machine])
    let port = try #require(range.ports.last)
    let last = try #require(PortRange(vip: range.vip, firstPort: port))
    let item = PortReturn(PortLease(last, to: locator), granted: range.revision)
    let returned = Self.microseconds { cluster.apply(.portsReturned([item])) }
    #expect(cluster.commands == 5)
    let requested = Self.microseconds {
      cluster.apply(.portsRequested([PortRequest(locator: locator)], at: time + 60_000))
    }
    #expect(cluster.commands == 5)
    let recalled = Self.microseconds { cluster.apply(.portsRecalled(.range(last), by: Self.author)) }
    let operation = Self.microseconds {
      cluster.apply(.operation(.apply([Self.resources[Self.resources.count - 1]]), by: Self.author))
    }
    var snapshot: ManagerSnapshot?
    let saved = Self.microseconds { snapshot = ManagerSnapshot(cluster.state) }
    var restored: ManagerState?
    let taken = Self.microseconds { restored = snapshot.map { ManagerState($0) } }
    #expect(restored == cluster.state)
    let told = try Self.tellMuxes(cluster.state)
    let coded = (try? JSONEncoder().encode(snapshot?.ports))?.count ?? 0
    print(
      """
      200,000 ranges: \((full - empty) / 1_000_000) MB more; entries take, in µs: a return \(Int(returned)), \
      a request \(Int(requested)), a recall \(Int(recalled)), an operation that names a service again \
      \(Int(operation)); a snapshot \(Int(saved)), from a snapshot \(Int(taken)), its ports in JSON \
      \(coded / 1000) KB; what the first MUX is told \(Int(told.first)), what the second is \(Int(told.second))
      """)
  }

  /// Two MUXes come to a primary at one revision; how long it takes to tell each all there is, in microseconds.
  private static func tellMuxes(_ state: ManagerState) throws -> (first: Double, second: Double) {
    var manager = Manager(state)
    _ = manager.handle(.becamePrimary(Epoch(1)))
    let revision = Revision(state.revision.number + 1)
    _ = manager.handle(.committed([CommittedEntry(revision: revision, entry: .epochBegan(Epoch(1)))]))
    var times: [Double] = []
    var updates: [Update] = []
    for number in UInt64(0)..<2 {
      let hello = Hello(node: "mux\(number)", roles: [.mux], epoch: .none, revision: Revision(0))
      let time = microseconds {
        for case .send(let update, _) in manager.handle(.connected(hello, SessionID(number))) {
          updates.append(update)
        }
      }
      times.append(time)
    }
    try #require(updates.count == 2)
    #expect(updates[0] == updates[1])
    let ranges = updates[0].commands.count { if case .setPortRange = $0 { true } else { false } }
    #expect(ranges == ManagerSnapshot(state).ports?.grants.reduce(0) { $0 + $1.ports.count })
    return (times[0], times[1])
  }
}
