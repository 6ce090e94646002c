internal import CLinux

/// What a TUN device may leave to the agent: super-packets and checksums that are only begun (TUNSETOFFLOAD).
public struct TUNOffloads: OptionSet, Hashable, Sendable {
  /// TUN_F_* bits.
  public let rawValue: UInt32
  /// Takes TUN_F_* bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Checksums that are only begun; everything else needs it.
  public static let checksum = TUNOffloads(rawValue: CLinux.CTUN_F_CSUM)
  /// TCP super-packets over IPv4.
  public static let tcp4 = TUNOffloads(rawValue: CLinux.CTUN_F_TSO4)
  /// TCP super-packets over IPv6.
  public static let tcp6 = TUNOffloads(rawValue: CLinux.CTUN_F_TSO6)
  /// TCP super-packets with ECN bits.
  public static let tcpECN = TUNOffloads(rawValue: CLinux.CTUN_F_TSO_ECN)
  /// UDP super-packets; the kernel takes both families or none (Linux 6.2).
  public static let udp = TUNOffloads(
    rawValue: CLinux.CTUN_F_USO4 | CLinux.CTUN_F_USO6)

  /// All that Ananta knows how to handle.
  public static let all: TUNOffloads = [.checksum, .tcp4, .tcp6, .tcpECN, .udp]

  /// What to ask for, from most to least, until the kernel agrees.
  static let ladder: [TUNOffloads] = [
    .all, [.checksum, .tcp4, .tcp6, .tcpECN], [.checksum, .tcp4, .tcp6], [.checksum, .tcp4], .checksum, [],
  ]
}

extension TUNOffloads: CustomStringConvertible {
  /// The names as `ethtool -k` readers know them: "checksum+tso4+tso6+ecn+uso".
  public var description: String {
    let names: [(TUNOffloads, String)] = [
      (.checksum, "checksum"), (.tcp4, "tso4"), (.tcp6, "tso6"), (.tcpECN, "ecn"), (.udp, "uso"),
    ]
    let present = names.filter { contains($0.0) }.map(\.1)
    return present.isEmpty ? "none" : present.joined(separator: "+")
  }
}
