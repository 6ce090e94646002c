import Dataplane
import Wire

/// The second step, which finds the backend that has the packet's connection: the algorithm of moving slots.
enum Match {
  enum Outcome: BitwiseCopyable {
    case target(Target)
    /// To who has leased the port for connections of its own.
    case leased(Target)
    /// Not to one of our VIPs.
    case foreign
    case fault(DropReason)
  }

  /// Finds the endpoint, the slot, and the slot's backend.
  @inline(always) static func backend<Tables: MuxTables & ~Copyable>(
    _ packet: ParsedPacket, _ tables: inout Tables
  ) -> Outcome {
    let connection = packet.connection
    let address = EndpointAddress(
      vip: connection.destination, port: connection.destinationPort, proto: connection.proto)
    guard let entry = tables.endpoint(address) else {
      return leased(connection, tables)
    }
    let hash = tables.poolHash.hash(connection, entry.fields)
    let slot = PoolHash.slot(of: hash, slotCount: entry.slotCount)
    let current = tables.current(entry, slot: slot)
    // Settled, and without exceptions: no flow state is read or written.
    guard entry.isMoving || tables.hasRecords(entry) else { return found(current) }
    return found(recorded(packet, entry, slot: slot, current: current, &tables))
  }

  /// Where no endpoint is, the port may be of a SNAT range; its packets have no slot and leave no trace.
  @inline(always) static func leased<Tables: MuxTables & ~Copyable>(
    _ connection: FiveTuple, _ tables: borrowing Tables
  ) -> Outcome {
    guard let row = tables.snatRow(connection.destination) else { return .foreign }
    let range = SNATRange(vip: connection.destination, holding: connection.destinationPort)
    guard let locator = tables.leaseholder(range) else { return .fault(.noEndpoint) }
    return .leased(Target(locator: locator, row: row.row, generation: row.generation))
  }

  @inline(always) static func found(_ target: Target?) -> Outcome {
    guard let target else { return .fault(.noBackend) }
    return .target(target)
  }

  /// The rare way: the slot may be moving, or a connection of the endpoint is an exception from its table.
  @inline(always) static func recorded<Tables: MuxTables & ~Copyable>(
    _ packet: ParsedPacket, _ entry: Tables.Endpoint, slot: Int, current: Target?, _ tables: inout Tables
  ) -> Target? {
    // UDP has no SYN by which a new flow could be told from an old one: its flows are never recorded.
    guard packet.connection.proto.rawValue == IPProtocol.tcp.rawValue else { return current }
    let movement = tables.movement(entry, slot: slot)
    if packet.content == .icmpError {
      return quoted(packet, entry, movement, current: current, &tables)
    }
    if packet.flags.opens {
      return opening(packet.connection, entry, movement, current: current, &tables)
    }
    let backend = established(packet.connection, entry, movement, current: current, &tables)
    let isReset = packet.flags.has(.rst)
    if isReset || packet.flags.has(.fin) {
      tables.expireSoon(packet.connection, isReset: isReset)
    }
    return backend
  }

  /// A SYN takes the current backend and is recorded while the slot moves; a repeated one keeps its backend.
  ///
  /// It keeps it as long as the endpoint has that backend. What is recorded with one that is down is dead: such a
  /// SYN is a client's second try, or its port's next connection, and it begins anew where somebody answers.
  @inline(always) static func opening<Tables: MuxTables & ~Copyable>(
    _ connection: FiveTuple, _ entry: Tables.Endpoint, _ movement: SlotMovement?, current: Target?,
    _ tables: inout Tables
  ) -> Target? {
    guard movement != nil else {
      tables.forget(connection)
      return current
    }
    if let known = tables.recorded(connection, entry, opening: true) {
      if tables.serves(entry, known) { return known }
      tables.forget(connection)
    }
    guard let current else { return nil }
    tables.record(connection, current, entry, opening: true)
    return current
  }

  /// Another packet takes what its record says; unknown in a moving slot it is older than the movement.
  @inline(always) static func established<Tables: MuxTables & ~Copyable>(
    _ connection: FiveTuple, _ entry: Tables.Endpoint, _ movement: SlotMovement?, current: Target?,
    _ tables: inout Tables
  ) -> Target? {
    if let known = tables.recorded(connection, entry, opening: false) {
      // Settled: what agrees with the table is dropped, what differs is an exception and lives on.
      if movement == nil, let current, known.locator == current.locator { tables.forget(connection) }
      return known
    }
    guard let movement else { return current }
    var backend = current
    if case .base(let base) = movement { backend = base }
    guard let backend else { return nil }
    tables.record(connection, backend, entry, opening: false)
    return backend
  }

  /// An ICMP error goes where its connection is, and leaves no trace.
  @inline(always) static func quoted<Tables: MuxTables & ~Copyable>(
    _ packet: ParsedPacket, _ entry: Tables.Endpoint, _ movement: SlotMovement?, current: Target?,
    _ tables: inout Tables
  ) -> Target? {
    if let known = tables.recorded(packet.connection, entry, opening: true) { return known }
    if let movement, case .base(let base) = movement { return base }
    return current
  }
}
