/// The error code of a NOTIFICATION (RFC 4271 §4.5, RFC 7313 §5, RFC 9687 §3.1).
public enum ErrorCode: UInt8, Sendable, CaseIterable {
  case messageHeader = 1
  case openMessage = 2
  case updateMessage = 3
  case holdTimerExpired = 4
  case finiteStateMachine = 5
  case cease = 6
  case routeRefresh = 7
  case sendHoldTimerExpired = 8

  /// The code's name in the IANA registry.
  public var name: String {
    switch self {
    case .messageHeader: "Message Header Error"
    case .openMessage: "OPEN Message Error"
    case .updateMessage: "UPDATE Message Error"
    case .holdTimerExpired: "Hold Timer Expired"
    case .finiteStateMachine: "Finite State Machine Error"
    case .cease: "Cease"
    case .routeRefresh: "ROUTE-REFRESH Message Error"
    case .sendHoldTimerExpired: "Send Hold Timer Expired"
    }
  }

  /// Names of the subcodes by number, from 0 on, as the IANA registries have them.
  ///
  /// Subcode 0 is "unspecific" everywhere; names of deprecated subcodes stay, since old peers still send them.
  public var subcodeNames: [String] {
    switch self {
    case .messageHeader:
      ["Unspecific", "Connection Not Synchronized", "Bad Message Length", "Bad Message Type"]
    case .openMessage:
      [
        "Unspecific", "Unsupported Version Number", "Bad Peer AS", "Bad BGP Identifier",
        "Unsupported Optional Parameter", "Authentication Failure", "Unacceptable Hold Time",
        "Unsupported Capability",
      ]
    case .updateMessage:
      [
        "Unspecific", "Malformed Attribute List", "Unrecognized Well-known Attribute",
        "Missing Well-known Attribute", "Attribute Flags Error", "Attribute Length Error",
        "Invalid ORIGIN Attribute", "AS Routing Loop", "Invalid NEXT_HOP Attribute", "Optional Attribute Error",
        "Invalid Network Field", "Malformed AS_PATH",
      ]
    case .finiteStateMachine:
      [
        "Unspecific", "Unexpected Message in OpenSent State", "Unexpected Message in OpenConfirm State",
        "Unexpected Message in Established State",
      ]
    case .cease:
      [
        "Unspecific", "Maximum Number of Prefixes Reached", "Administrative Shutdown", "Peer De-configured",
        "Administrative Reset", "Connection Rejected", "Other Configuration Change",
        "Connection Collision Resolution", "Out of Resources", "Hard Reset", "BFD Down",
      ]
    case .routeRefresh: ["Unspecific", "Invalid Message Length"]
    case .holdTimerExpired, .sendHoldTimerExpired: ["Unspecific"]
    }
  }
}
