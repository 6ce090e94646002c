import Wire

/// Who is not heard by whom on the managers' port, as rules of nftables in the namespaces of those who do not hear.
struct NetworkCut {
  /// The table that holds the rules; nobody else has one of that name.
  private static let table = "inet chaos"

  /// Takes all rules away.
  static let heal = "table \(table)\ndelete table \(table)\n"

  /// Drops what comes from these addresses, from clients and from servers; replaces earlier rules.
  static func deafness(to sources: [IPv4Address]) -> String {
    guard !sources.isEmpty else { return heal }
    let list = sources.map(\.description).joined(separator: ", ")
    return rules("ip saddr { \(list) }")
  }

  /// Drops what comes from anybody but the node itself; replaces earlier rules.
  static let totalDeafness = rules("iif != lo")

  private static func rules(_ condition: String) -> String {
    let port = Topology.managerPort
    return """
      \(heal)table \(table) {
        chain heard {
          type filter hook input priority -10; policy accept;
          \(condition) tcp dport \(port) drop
          \(condition) tcp sport \(port) drop
        }
      }

      """
  }
}
