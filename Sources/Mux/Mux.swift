#if !$Embedded
public import Dataplane
public import Wire

/// One worker's multiplexer: its own tables, its own packets, nothing shared.
///
/// ```
///            ┌───────┐   ┌───────┐   ┌─────┐   ┌──────┐
///  packet ──►│ Parse ├──►│ Match ├──►│ Act ├──►│ Emit ├──► verdict
///            └───────┘   └───────┘   └─────┘   └──────┘
///             headers     backend     size,     outer header,
///             sound?      of the      hops      echo reply or
///             ours?       connection            "too big"
/// ```
/// The thread that owns it calls `adopt` when there is a new VIP map and `sweep` once per batch, and
/// `process` for every packet.
public struct Mux: ~Copyable {
  let settings: MuxSettings
  var tables: UserTables
  var errors: ErrorBudget

  /// A multiplexer with the underlay address `address`, from which it sends packets on.
  ///
  /// `mtu` is the underlay's, at least 576. `counters` must be this worker's alone; `ranges` may be changed
  /// by another thread meanwhile.
  public init(
    address: IPv4Address, mtu: Int = 1500, map: VIPMap, ranges: SNATRanges? = nil, counters: MuxCounters,
    flowRecords: Int = Dataplane.Limits.flowRecords
  ) {
    precondition(mtu >= Limits.smallestMTU && mtu <= Limits.largestMTU, "an MTU from 576 to 65,535")
    settings = MuxSettings(address: address, mtu: mtu)
    tables = UserTables(map: map, ranges: ranges, counters: counters, flowRecords: flowRecords)
    errors = ErrorBudget()
  }

  /// The VIP map in force.
  public var map: VIPMap { tables.map }

  /// Connections recorded at the moment because their slots move or have moved.
  public var recordCount: Int { tables.flows.untrusted + tables.flows.trusted }

  /// Goes by another VIP map from the next packet on.
  public mutating func adopt(_ map: VIPMap) { tables.adopt(map) }

  /// Goes by another table of SNAT ranges from the next packet on.
  public mutating func adopt(_ ranges: SNATRanges) { tables.adopt(ranges) }

  /// Removes a few expired records; to be called once per batch.
  @_noLocks
  public mutating func sweep(now: UInt32) { tables.flows.sweep(now: now) }

  /// Counts a packet that could not be sent on after it was judged.
  @_noLocks
  public mutating func countDrop(_ reason: DropReason) { tables.count(reason) }

  /// The connection of a TCP packet to one of our endpoints, or of what an ICMP error quotes, with the
  /// endpoint's number; nil for every other packet, which is judged without records.
  ///
  /// For packets that the kernel's programs have left to us: what they have recorded of the connection is to be put
  /// here with `borrow`, before `process`, and to be given back with `giveBack` behind it, since it is theirs.
  public func connection(
    in buffer: consuming MutableRawSpan, byteCount: Int
  ) -> (connection: FiveTuple, number: UInt32)? {
    guard let frame = Frame(buffer, byteCount: byteCount),
      case .ours(let packet) = Parse.packet(frame, tables), packet.content != .echoRequest,
      packet.connection.proto == .tcp
    else { return nil }
    let connection = packet.connection
    let address = EndpointAddress(
      vip: connection.destination, port: connection.destinationPort, proto: connection.proto)
    guard let entry = tables.endpoint(address) else { return nil }
    return (connection, entry.number)
  }

  /// Whether a connection is recorded here.
  public func hasRecord(of connection: FiveTuple) -> Bool { tables.flows.holds(connection) }

  /// Goes by a record that the kernel has of a connection.
  public mutating func borrow(_ record: FlowRecord, of connection: FiveTuple, now: UInt32) {
    tables.flows.put(record, of: connection, now: now)
  }

  /// Forgets a record that was borrowed: the kernel renews and ends its own.
  public mutating func giveBack(_ connection: FiveTuple) { tables.flows.forget(connection) }

  /// Judges one packet and changes it in place.
  ///
  /// The packet begins `Frame.headroom` bytes into the buffer, which must hold at least
  /// `Frame.guaranteed` bytes from there on; it is `byteCount` bytes long. `offload` says what the device
  /// left to us and afterwards what we leave to it. `now` is in milliseconds on a steady clock that may wrap
  /// around. `transmit` yields an IPv4 packet for the stack to route.
  ///
  /// Only whole-module compilation lets the compiler look into the other files and prove that nothing here
  /// allocates or locks, so release builds demand the proof.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func process(
    _ buffer: consuming MutableRawSpan, byteCount: Int, offload: inout Offload, now: UInt32
  ) -> Verdict {
    tables.count(.packets)
    tables.count(.bytes, by: byteCount)
    guard var frame = Frame(buffer, byteCount: byteCount) else {
      tables.count(DropReason.truncated)
      return .drop(.truncated)
    }
    tables.now = now
    switch Path.walk(&frame, &offload, &tables, &errors, settings) {
    case .drop(let reason):
      tables.count(reason)
      return .drop(reason)
    case .pass:
      tables.count(.passed)
      return .pass
    case .encapsulated(let byteCount):
      tables.count(.encapsulated)
      return .transmit(offset: -IPIP.byteCount, byteCount: byteCount)
    case .echoReply(let byteCount):
      tables.count(.echoReplies)
      return .transmit(offset: 0, byteCount: byteCount)
    case .fragmentationNeeded(let byteCount):
      tables.count(.fragmentationNeeded)
      return .transmit(offset: Emit.errorOffset, byteCount: byteCount)
    }
  }
}
#endif
