import Control
import Foundation
import Lab
import Logging
import Transport

/// Where the managers are and who asks, from the variables that `ananta-ctl` takes, too.
struct OperatorAccess {
  let addresses: [ManagerAddress]
  private let security: TransportSecurity

  /// Reads the variables that the lab sets; files that are given go before theirs.
  static func fromEnvironment(
    certificate own: String? = nil, key ownKey: String? = nil
  ) throws(LabError) -> OperatorAccess {
    let environment = ProcessInfo.processInfo.environment
    let list = environment["ANANTA_MANAGERS"] ?? ""
    let addresses = list.split(separator: ",").compactMap { ManagerAddress(String($0)) }
    guard !addresses.isEmpty else {
      throw LabError(.missing, "ANANTA_MANAGERS names no manager; a lab runs this itself.")
    }
    if environment["ANANTA_SECURITY"] == "plaintext" {
      return OperatorAccess(addresses: addresses, security: .plaintext)
    }
    guard let authority = environment["ANANTA_CA"],
      let certificate = own ?? environment["ANANTA_CERTIFICATE"],
      let key = ownKey ?? environment["ANANTA_KEY"]
    else { throw LabError(.missing, "ANANTA_CA, ANANTA_CERTIFICATE and ANANTA_KEY must name files.") }
    let files = TLSIdentity(authority: authority, certificate: certificate, key: key)
    return OperatorAccess(addresses: addresses, security: .tls(files))
  }

  /// A client of all managers, or of some, that keeps its connections.
  func client(at some: [ManagerAddress]? = nil, timeout: Duration) -> ManagementClient {
    ManagementClient(
      managers: some ?? addresses, security: security, timeout: timeout, keepsConnections: true)
  }

  /// An agent's stream to one of the managers.
  func link(_ hello: @Sendable @escaping () -> Hello) -> ManagerLink {
    var logger = Logger(label: "flood") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .warning
    return ManagerLink(managers: addresses, security: security, logger: logger, hello: hello)
  }
}
