public import Control

/// How a certificate says whose it is: a URI among its alternative names.
///
/// `ananta:node:mux1?roles=mux+manager` is a node's, `ananta:operator:ada?role=admin` an operator's.
public enum IdentityURI {
  private static let scheme = "ananta:"

  /// What goes into a certificate.
  ///
  /// - Throws: for nobody, and for a name that cannot be in a URI.
  public static func text(_ identity: Identity) throws(PKIError) -> String {
    switch identity {
    case .anonymous: throw PKIError(.argument, "a certificate is for a node or an operator, not for nobody")
    case .node(let name, let roles):
      guard isNode(name) else {
        throw PKIError(.argument, "\(name) is no node's name: a DNS label such as mux1 is expected")
      }
      guard !roles.isEmpty else { throw PKIError(.argument, "the node \(name) needs a role") }
      let names = Role.allCases.filter(roles.contains).map(\.rawValue)
      return "\(scheme)node:\(name)?roles=\(names.joined(separator: "+"))"
    case .operator(let name, let role):
      guard isOperator(name) else {
        throw PKIError(
          .argument,
          "\(name) is no operator's name: letters, digits and . _ - @ are, up to "
            + "\(Limits.operatorNameLength) of them")
      }
      return "\(scheme)operator:\(name)?role=\(role.rawValue)"
    }
  }

  /// Reads what `text` writes, and nothing else; nil: some other URI.
  public static func identity(_ text: String) -> Identity? {
    guard text.hasPrefix(scheme) else { return nil }
    let parts = text.dropFirst(scheme.count).split(separator: "?", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let subject = parts[0].split(separator: ":", omittingEmptySubsequences: false)
    let query = parts[1].split(separator: "=", omittingEmptySubsequences: false)
    guard subject.count == 2, query.count == 2 else { return nil }
    let name = String(subject[1])
    switch (subject[0], query[0]) {
    case ("node", "roles"):
      let words = query[1].split(separator: "+", omittingEmptySubsequences: false)
      let roles = words.compactMap { Role(rawValue: String($0)) }
      guard isNode(name), !roles.isEmpty, roles.count == words.count, Set(roles).count == roles.count else {
        return nil
      }
      return .node(name, roles: Role.allCases.filter(roles.contains))
    case ("operator", "role"):
      guard isOperator(name), let role = OperatorRole(rawValue: String(query[1])) else { return nil }
      return .operator(name, role)
    default: return nil
    }
  }

  /// RFC 1123, section 2.1, in lower case.
  private static func isNode(_ name: String) -> Bool {
    let octets = name.utf8
    guard (1...Control.Limits.nameLength).contains(octets.count) else { return false }
    let dash = UInt8(ascii: "-")
    guard octets.first != dash, octets.last != dash else { return false }
    return octets.allSatisfy { isLowercaseOrDigit($0) || $0 == dash }
  }

  private static func isOperator(_ name: String) -> Bool {
    (1...Limits.operatorNameLength).contains(name.utf8.count)
      && name.utf8.allSatisfy { octet in
        isLowercaseOrDigit(octet) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet)
          || ".-_@".utf8.contains(octet)
      }
  }

  private static func isLowercaseOrDigit(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
  }
}
