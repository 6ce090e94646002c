/// Where a manager listens: a host name or address, and a TCP port.
public struct ManagerAddress: Codable, Hashable, Sendable {
  /// A name that the resolver knows, or an IPv4 address.
  public var host: String
  /// The TCP port; 4600 unless configured otherwise.
  public var port: UInt16

  /// Joins host and port.
  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }
}

extension ManagerAddress: LosslessStringConvertible {
  /// Reads `HOST:PORT`; nil when there is no host, or no port from 1 to 65535.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count <= 253, let port = UInt16(parts[1]), port > 0,
      !parts[0].isEmpty, parts[0].utf8.allSatisfy(Self.isOfHostName), parts[1].utf8.first != UInt8(ascii: "+")
    else { return nil }
    self.init(host: String(parts[0]), port: port)
  }

  /// `10.1.1.2:4600`.
  public var description: String { "\(host):\(port)" }

  private static func isOfHostName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
