import ArgumentParser
import Control
import Foundation
import PKI

/// Makes and shows certificates.
struct PKICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pki", abstract: "Make a certificate authority, and certificates of nodes and operators.",
    discussion: """
      The key of the authority, ca.key, signs for everybody: keep it where no manager runs. A node needs ca.crt and \
      its own NAME.crt and NAME.key, an operator ca.crt, operator.crt and operator.key in ~/.ananta.
      """,
    subcommands: [PKIInit.self, PKIIssue.self, PKIShow.self])
}

/// Where certificates are written, and how.
struct PKIDirectory: ParsableArguments {
  @Option(
    name: [.customLong("directory"), .customLong("dir")], help: "Where ca.crt and all others are.",
    completion: .directory)
  var directory = "pki"

  @Flag(help: "Replace files that are there.") var force = false

  func file(_ name: String) -> String { "\(directory)/\(name)" }

  /// The directory itself is nobody else's business: keys are in it.
  func prepare() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Terminal.fail("\(directory) cannot be made: \(error.localizedDescription)", code: 1)
    }
  }
}

/// Makes an authority.
struct PKIInit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make the certificate authority of a data centre.")

  @OptionGroup var place: PKIDirectory
  @Option(help: "What the authority is called.") var name = "Ananta"
  @Option(help: "Days that it is valid.") var days = PKI.Limits.daysOfAuthority

  func validate() throws { try PKICheck.days(days) }

  func run() throws {
    try place.prepare()
    try PKICheck.exiting { () throws(PKIError) in
      let authority = try CertificateAuthority.make(name: name, days: days)
      try authority.credential.write(
        certificate: place.file("ca.crt"), key: place.file("ca.key"), replacing: place.force)
    }
    Terminal.out("\(place.file("ca.crt"))\n\(place.file("ca.key"))\n")
  }
}

/// Makes a certificate.
struct PKIIssue: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "issue", abstract: "Make a key and a certificate for a node or an operator.",
    subcommands: [PKIIssueNode.self, PKIIssueOperator.self])
}

/// Makes a node's certificate.
struct PKIIssueNode: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "node", abstract: "For the agent of a node.")

  @Argument(help: "metadata.name of the node.") var name: String
  @Option(help: "The roles it may have, separated by commas: host, mux, manager.") var roles: String
  @Option(name: .customLong("address"), help: "An address or host name of the node; may be repeated.")
  var addresses: [String] = []
  @Option(help: "Days that it is valid.") var days = PKI.Limits.days
  @OptionGroup var place: PKIDirectory

  func validate() throws {
    try PKICheck.days(days)
    _ = try parsedRoles()
  }

  func run() throws {
    try PKICheck.issue(to: .node(name, roles: try parsedRoles()), name, addresses, days, place)
  }

  private func parsedRoles() throws -> [Role] {
    let words = roles.split(whereSeparator: { ",+".contains($0) })
    return try words.map { word in
      guard let role = Role(rawValue: String(word)) else {
        throw ValidationError("--roles: \(word) is none of host, mux, manager")
      }
      return role
    }
  }
}

/// Makes an operator's certificate.
struct PKIIssueOperator: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operator", abstract: "For a person, or a program that acts for one.")

  @Argument(help: "The name under which changes are recorded.") var name: String
  @Option(help: "admin or read-only.") var role: String
  @Option(help: "Days that it is valid.") var days = PKI.Limits.days
  @OptionGroup var place: PKIDirectory

  func validate() throws {
    try PKICheck.days(days)
    _ = try parsedRole()
  }

  func run() throws { try PKICheck.issue(to: .operator(name, try parsedRole()), name, [], days, place) }

  private func parsedRole() throws -> OperatorRole {
    guard let role = OperatorRole(rawValue: role) else {
      throw ValidationError("--role must be admin or read-only, not \(role)")
    }
    return role
  }
}

/// Shows certificates.
struct PKIShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Say whose certificates are in a file, and until when.",
    discussion: "The exit status is 1 if one of them is not valid now.")

  @Argument(help: "A PEM file.", completion: .file()) var file: String

  func run() throws {
    let descriptions = try PKICheck.exiting { () throws(PKIError) in
      try CertificateDescription.read(file, at: Date())
    }
    Terminal.out(descriptions.map(\.text).joined(separator: "\n"))
    if descriptions.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
  }
}

/// What the verbs of `pki` share.
enum PKICheck {
  static func days(_ days: Int) throws {
    guard PKI.Limits.daysToChoose.contains(days) else {
      throw ValidationError(
        "--days must be from \(PKI.Limits.daysToChoose.lowerBound) to \(PKI.Limits.daysToChoose.upperBound)")
    }
  }

  static func issue(
    to identity: Identity, _ name: String, _ addresses: [String], _ days: Int, _ place: PKIDirectory
  ) throws {
    guard name != "ca" else {
      throw ValidationError("ca.crt and ca.key are the authority's own files; give it another name")
    }
    let (certificate, key) = (place.file("\(name).crt"), place.file("\(name).key"))
    try exiting { () throws(PKIError) in
      let authority = try CertificateAuthority(certificate: place.file("ca.crt"), key: place.file("ca.key"))
      let credential = try authority.issue(to: identity, names: addresses, days: days)
      try credential.write(certificate: certificate, key: key, replacing: place.force)
    }
    Terminal.out("\(certificate)\n\(key)\n")
  }

  static func exiting<Value>(_ work: () throws(PKIError) -> Value) throws -> Value {
    do throws(PKIError) { return try work() } catch {
      throw Terminal.fail(error.reason, code: 1)
    }
  }
}
