public import Dataplane
import Wire

/// What the kernel, which carries known flows by itself, must be told or asked about one.
public struct FlowChange: BitwiseCopyable, Hashable, Sendable {
  /// What has happened.
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// Both sides know of it: the kernel may carry it.
    case known
    /// It has ended: the kernel must carry it no more.
    case ended
    /// It has been silent for too long as far as the agent has seen; `HostAgent.settle` wants to know what
    /// the kernel has.
    case silent
  }

  /// What has happened.
  public let kind: Kind
  /// To which flow.
  public let flow: KnownFlow

  /// Joins the two.
  @inline(always) public init(_ kind: Kind, _ flow: KnownFlow) {
    self.kind = kind
    self.flow = flow
  }
}

/// Changes in the order in which they happened, until somebody takes them; of fixed size.
struct FlowChangeRing: ~Copyable {
  private var changes: Table<FlowChange>
  private var first = 0
  private var count = 0

  init() {
    let nothing = KnownFlow(
      machine: 0, locator: .any, dip: .any, vip: .any, vipPort: 0, backendPort: 0, remote: .any,
      remotePort: 0,
      proto: .tcp)
    changes = Table(capacity: Limits.changes, repeating: FlowChange(.ended, nothing))
  }

  @inline(always) var isFull: Bool { count == changes.count }

  /// Adds a change; to be asked before: whether there is room.
  @inline(always) mutating func append(_ change: FlowChange) {
    changes[first &+ count] = change
    count &+= 1
  }

  /// The oldest change.
  @inline(always) mutating func take() -> FlowChange? {
    guard count > 0 else { return nil }
    let change = changes[first]
    first = (first &+ 1) & changes.mask
    count &-= 1
    return change
  }
}
