internal import Glibc

/// The privileges the calling thread has at this moment (the effective set of capabilities(7)).
public struct Capabilities: Hashable, Sendable {
  /// A privilege that Ananta uses.
  public enum Capability: Int, CaseIterable, Hashable, Sendable {
    /// TUN devices, addresses, routes, rules, sysctls.
    case netAdmin = 12
    /// Packet sockets, sources of another's address.
    case netRaw = 13
    /// Entering and creating network namespaces.
    case sysAdmin = 21

    /// The name of capabilities(7).
    public var name: String {
      switch self {
      case .netAdmin: "CAP_NET_ADMIN"
      case .netRaw: "CAP_NET_RAW"
      case .sysAdmin: "CAP_SYS_ADMIN"
      }
    }

    var purpose: String {
      switch self {
      case .netAdmin: "TUN devices, addresses and routes"
      case .netRaw: "packet sockets"
      case .sysAdmin: "entering network namespaces"
      }
    }
  }

  private let bits: UInt64

  /// Takes the set as bits, lowest first.
  public init(bits: UInt64) { self.bits = bits }

  /// Reads `CapEff` of /proc/thread-self/status.
  ///
  /// The corresponding command is `getpcaps PID`.
  public static func effective() throws(PlatformError) -> Capabilities {
    let path = "/proc/thread-self/status"
    var text = ""
    do throws(Errno) {
      let file = try FileDescriptor.open(path, O_RDONLY)
      unsafe withUnsafeTemporaryAllocation(byteCount: Limits.sysctlBytes, alignment: 1) { buffer in
        let count = unsafe Glibc.read(file.raw, buffer.baseAddress, buffer.count)
        text = unsafe String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
      }
    } catch {
      throw PlatformError("read", path, error)
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    guard let digits = line?.split(separator: "\t").last, let bits = UInt64(digits, radix: 16) else {
      throw PlatformError("read", "CapEff of \(path)", Errno(rawValue: EINVAL), reason: .other)
    }
    return Capabilities(bits: bits)
  }

  /// Whether a privilege is there.
  public func contains(_ capability: Capability) -> Bool { bits >> UInt64(capability.rawValue) & 1 == 1 }

  /// A sentence about those that are missing and what to do; nil when all are there.
  public func complaint(needing needed: [Capability] = Capability.allCases) -> String? {
    let missing = needed.filter { !contains($0) }
    guard !missing.isEmpty else { return nil }
    let list = missing.map { "\($0.name) (\($0.purpose))" }.joined(separator: ", ")
    return "Missing privilege: \(list). Run as root, or grant it with `setcap` or AmbientCapabilities=."
  }
}
