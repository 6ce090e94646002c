internal import CNetlink
internal import Glibc
public import Wire

/// Who made a route or a rule (the rtnetlink protocol number), so that each daemon touches only its own.
public struct RouteProtocol: RawRepresentable, Hashable, Sendable {
  /// The number; /etc/iproute2/rt_protos names some.
  public let rawValue: UInt8
  /// Takes a number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// RTPROT_KERNEL: what follows from addresses.
  public static let kernel = RouteProtocol(rawValue: 2)
  /// RTPROT_BOOT: what `ip route add` makes.
  public static let boot = RouteProtocol(rawValue: 3)
  /// RTPROT_STATIC: what an administrator made.
  public static let `static` = RouteProtocol(rawValue: 4)
  /// 0xA5 (165): what Ananta made.
  ///
  /// No protocol of Linux, FRR or BIRD uses the number.
  public static let ananta = RouteProtocol(rawValue: 0xA5)
}

/// An IPv4 route.
///
/// The corresponding command is `ip -4 route`.
public struct Route: Hashable, Sendable {
  /// What happens to packets.
  public enum Kind: String, Hashable, Sendable {
    /// They go on through gateway or device.
    case unicast
    /// They vanish.
    case blackhole
    /// They are for this node (made by the kernel in table 255).
    case local
    /// Broadcast, unreachable, prohibit, …; never made by Ananta.
    case other
  }

  /// What happens to packets.
  public var kind: Kind
  /// Where packets are going.
  public var destination: IPv4Prefix
  /// The router to give them to; nil when the destination is on the device's link.
  public var gateway: IPv4Address?
  /// The device's name; nil lets the kernel find it from the gateway.
  public var device: String?
  /// The address local programs take as source; nil lets the kernel choose.
  public var source: IPv4Address?
  /// The routing table; 254 is `main`.
  public var table: UInt32
  /// The lower one of two routes to the same destination wins.
  public var metric: UInt32
  /// Who made it.
  public var origin: RouteProtocol
  /// Whether the gateway is reachable through the device though no route says so.
  public var isOnLink: Bool

  /// The table that the kernel looks into when no rule says otherwise.
  public static let mainTable: UInt32 = 254

  /// A route through a gateway, a device or both.
  public init(
    to destination: IPv4Prefix, via gateway: IPv4Address? = nil, device: String? = nil,
    source: IPv4Address? = nil, table: UInt32 = mainTable, metric: UInt32 = 0,
    origin: RouteProtocol = .ananta, isOnLink: Bool = false
  ) {
    self.kind = .unicast
    self.destination = destination
    self.gateway = gateway
    self.device = device
    self.source = source
    self.table = table
    self.metric = metric
    self.origin = origin
    self.isOnLink = isOnLink
  }

  /// A route on which packets vanish.
  public static func blackhole(
    _ destination: IPv4Prefix, table: UInt32 = mainTable, metric: UInt32 = 0, origin: RouteProtocol = .ananta
  ) -> Route {
    var route = Route(to: destination, table: table, metric: metric, origin: origin)
    route.kind = .blackhole
    return route
  }
}

extension Route: CustomStringConvertible {
  /// The words of `ip route`.
  public var description: String {
    var words = kind == .unicast ? "\(destination)" : "\(kind) \(destination)"
    if let gateway { words += " via \(gateway)" }
    if let device { words += " dev \(device)" }
    if let source { words += " src \(source)" }
    if table != Self.mainTable { words += " table \(table)" }
    if metric != 0 { words += " metric \(metric)" }
    return words + " proto \(origin.rawValue)" + (isOnLink ? " onlink" : "")
  }
}
