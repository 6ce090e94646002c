import Control

/// Who may do what: the whole of it.
enum Authorization {
  /// What somebody asks for.
  enum Call: Hashable, Sendable {
    /// Looks at things, or asks what a change would do.
    case look
    /// Changes the desired state, or the managers, or calls ports back.
    case change
    /// Opens the stream of an agent.
    case session(Hello)
    /// Opens a link between managers, as this node.
    case link(node: String)
  }

  /// Why not.
  struct Refusal: Hashable, Sendable {
    /// A word for counters.
    let label: String
    /// One sentence.
    let reason: String
  }

  /// Why somebody may not; nil: may.
  static func refusal(of call: Call, by identity: Identity) -> Refusal? {
    switch (identity, call) {
    case (.anonymous, _): nil
    case (.operator(_, .admin), .look), (.operator(_, .admin), .change), (.operator(_, .readOnly), .look): nil
    case (.operator(let name, .readOnly), .change):
      Refusal(
        label: "read-only",
        reason: "\(name) may look at everything and change nothing: the certificate says read-only")
    case (.operator(let name, _), .session), (.operator(let name, _), .link):
      Refusal(
        label: "operator-as-node",
        reason: "\(name) is an operator: only a node's certificate opens this stream")
    case (.node(let name, _), .look), (.node(let name, _), .change):
      Refusal(
        label: "node-as-operator",
        reason: "\(name) is a node: use an operator's certificate, see `ananta-ctl pki issue operator`")
    case (.node(let name, let roles), .session(let hello)): session(of: name, roles, hello)
    case (.node(let name, let roles), .link(let node)): link(of: name, roles, node)
    }
  }

  private static func session(of name: String, _ roles: [Role], _ hello: Hello) -> Refusal? {
    guard hello.node == name else {
      return Refusal(
        label: "another-node",
        reason: "the certificate is of the node \(name), and the hello of \(hello.node)")
    }
    let surplus = hello.roles.filter { !roles.contains($0) }
    guard surplus.isEmpty else {
      let names = surplus.map(\.rawValue).joined(separator: ", ")
      return Refusal(
        label: "role", reason: "the certificate of \(name) does not allow the role \(names); issue another")
    }
    return nil
  }

  private static func link(of name: String, _ roles: [Role], _ node: String) -> Refusal? {
    guard roles.contains(.manager) else {
      return Refusal(
        label: "not-a-manager", reason: "the certificate of \(name) does not allow the role manager")
    }
    guard node == name else {
      return Refusal(
        label: "another-node", reason: "the certificate is of the node \(name), and the hello of \(node)")
    }
    return nil
  }
}
