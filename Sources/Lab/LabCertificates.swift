import Control

/// The lab's certificate authority, and a certificate for each node and for two operators.
struct LabCertificates {
  /// The files that prove who somebody is.
  struct Files: Hashable {
    var authority: String
    var certificate: String
    var key: String
  }

  /// An operator who may do everything.
  static let administrator = "admin"
  /// An operator who may only look.
  static let observer = "observer"

  /// Where all of it lies.
  let directory: String

  /// The files of a node or an operator.
  func files(of name: String) -> Files {
    Files(
      authority: "\(directory)/ca.crt", certificate: "\(directory)/\(name).crt",
      key: "\(directory)/\(name).key")
  }

  /// What `ananta-ctl` takes from its environment to act as an operator.
  func environment(of operatorName: String) -> [String] {
    let files = files(of: operatorName)
    return [
      "ANANTA_CA=\(files.authority)", "ANANTA_CERTIFICATE=\(files.certificate)", "ANANTA_KEY=\(files.key)",
    ]
  }

  /// Makes the authority, and has it sign for everybody.
  func issue(for topology: Topology, with control: String) async throws(LabError) {
    try await ExternalCommand([control, "pki", "init", "--directory", directory]).check()
    for machine in topology.machines {
      let roles = machine.node.roles.map(\.rawValue).joined(separator: ",")
      try await issue(
        ["node", machine.node.name, "--roles", roles, "--address", "\(machine.node.address)"], with: control)
    }
    try await issue(["operator", Self.administrator, "--role", "admin"], with: control)
    try await issue(["operator", Self.observer, "--role", "read-only"], with: control)
  }

  /// Has the authority sign for one more node.
  func issue(node: String, roles: String, address: String, with control: String) async throws(LabError) {
    try await issue(["node", node, "--roles", roles, "--address", address], with: control)
  }

  private func issue(_ subject: [String], with control: String) async throws(LabError) {
    try await ExternalCommand([control, "pki", "issue"] + subject + ["--directory", directory]).check()
  }
}
