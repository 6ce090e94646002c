import Control
import Foundation
import Wire

/// Notes, at the router, by which MUX each of a client's connections goes.
///
/// Counted from real packets, so that it says what happened and not what ought to.
struct RouterPaths: Sendable {
  private let namespace: String
  private let muxes: [String]
  private static let table = "ananta_lab_paths"

  /// Begins to note the source ports of SYNs for an endpoint.
  static func start(in lab: Lab, vip: IPv4Address, port: UInt16) async throws(LabError) -> RouterPaths {
    let muxes = lab.topology.machines(with: .mux).map(\.node.name)
    var text = "table inet \(table) {\n"
    for index in muxes.indices { text += "set p\(index) { type inet_service; size 65535; flags dynamic; }\n" }
    text += "chain paths {\ntype filter hook forward priority -10;\n"
    for (index, mux) in muxes.enumerated() {
      let device = Fabric.routerDevice(towards: mux)
      text += "ip daddr \(vip) tcp dport \(port) tcp flags & (syn | ack) == syn oifname \"\(device)\" "
      text += "add @p\(index) { tcp sport }\n"
    }
    let paths = RouterPaths(namespace: try lab.namespace(of: lab.topology.router.name), muxes: muxes)
    try await paths.nft(["-f", "-"], input: text + "}\n}\n")
    return paths
  }

  /// The MUXes by which SYNs from a port went; one, unless a SYN was repeated and went another way.
  func read() async throws(LabError) -> [UInt16: [String]] {
    struct Listing: Decodable {
      struct Item: Decodable { var set: Named? }
      struct Named: Decodable { var elem: [UInt16]? }
      var nftables: [Item]
    }
    var paths: [UInt16: [String]] = [:]
    for (index, mux) in muxes.enumerated() {
      let text = try await nft(["-j", "list", "set", "inet", Self.table, "p\(index)"])
      guard let listing = try? JSONDecoder().decode(Listing.self, from: Data(text.utf8)) else {
        throw LabError(.command, "nft answered what is no list of ports: \(text.prefix(200))")
      }
      for port in listing.nftables.compactMap(\.set).flatMap({ $0.elem ?? [] }) {
        paths[port, default: []].append(mux)
      }
    }
    return paths
  }

  /// Forgets everything.
  func stop() async throws(LabError) { try await nft(["delete", "table", "inet", Self.table]) }

  @discardableResult
  private func nft(_ arguments: [String], input: String = "") async throws(LabError) -> String {
    try await ExternalCommand(["nft"] + arguments, input: input).inside(namespace).check()
  }
}
