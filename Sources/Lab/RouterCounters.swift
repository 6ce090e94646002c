import Control
import Foundation
import Wire

/// Counts, where every packet of the lab passes: by which MUX connections come in, by whom replies go out.
///
/// nftables counters in the router's forward hook; they need no connection tracking and lose no packet, as a
/// capture may.
public struct RouterCounters: Sendable {
  /// What was counted for one node.
  public struct Entry: Codable, Hashable, Sendable {
    /// The node.
    public var node: String
    /// SYNs for VIPs that the router sent to it.
    public var connections: Int
    /// Packets from VIPs that the router got from it.
    public var replies: Int
  }

  private let namespace: String
  private let nodes: [String]
  private static let table = "ananta_lab_spread"

  /// Begins to count at zero.
  public static func start(in lab: Lab) async throws(LabError) -> RouterCounters {
    let topology = lab.topology
    let nodes = topology.machines.map(\.node.name)
    let vips = topology.offers.map(\.service.vip.description).joined(separator: ", ")
    var text = "table inet \(table) {\n"
    for index in nodes.indices { text += "counter c\(index) {}\ncounter r\(index) {}\n" }
    text += "chain spread {\ntype filter hook forward priority -10;\n"
    for (index, node) in nodes.enumerated() {
      let device = Fabric.routerDevice(towards: node)
      text +=
        "ip daddr { \(vips) } tcp flags & (syn | ack) == syn oifname \"\(device)\" counter name c\(index)\n"
      text += "ip saddr { \(vips) } iifname \"\(device)\" counter name r\(index)\n"
    }
    let counters = RouterCounters(namespace: try lab.namespace(of: topology.router.name), nodes: nodes)
    try await counters.nft(["-f", "-"], input: text + "}\n}\n")
    return counters
  }

  /// What was counted so far, by node in the order of the topology.
  public func read() async throws(LabError) -> [Entry] {
    struct Listing: Decodable {
      struct Item: Decodable { var counter: Named? }
      struct Named: Decodable {
        var name: String
        var packets: Int
      }
      var nftables: [Item]
    }
    let text = try await nft(["-j", "list", "counters", "table", "inet", Self.table])
    guard let listing = try? JSONDecoder().decode(Listing.self, from: Data(text.utf8)) else {
      throw LabError(.command, "nft answered what is no list of counters: \(text.prefix(200))")
    }
    func packets(_ name: String) -> Int {
      listing.nftables.compactMap(\.counter).first { $0.name == name }?.packets ?? 0
    }
    return nodes.enumerated().map {
      Entry(node: $1, connections: packets("c\($0)"), replies: packets("r\($0)"))
    }
  }

  /// Removes the counters.
  public func stop() async throws(LabError) { try await nft(["delete", "table", "inet", Self.table]) }

  @discardableResult
  private func nft(_ arguments: [String], input: String = "") async throws(LabError) -> String {
    try await ExternalCommand(["nft"] + arguments, input: input).inside(namespace).check()
  }
}
