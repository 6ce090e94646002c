import Dataplane
import Wire

// The lives of flows: how a packet begins, finds, moves on or ends one.
extension HostAgent {
  /// Whether a record stands for nothing any more: silent for too long, or its endpoint is gone.
  @inline(always) func isOver(_ flow: Flow, now: UInt32) -> Bool {
    let endpoint = directory.endpoints[Int(flow.endpoint)]
    return !endpoint.isAlive || !flow.isLent && flow.isExpired(idle: endpoint.idle, now: now)
  }

  /// Finds or makes the flow of a packet from outside and notes the packet; nil: the packet may go on.
  ///
  /// A flow that another endpoint's connection holds is not taken away from it: its replies would leave with the
  /// wrong VIP. A RST makes no flow, since nothing will answer it.
  @inline(always) mutating func noteInbound(
    _ key: FlowKey, endpoint: UInt16, flags: TCPFlags, isUDP: Bool, now: UInt32
  ) -> DropReason? {
    let hash = key.hash(seed: seed)
    var at = table.find(key, hash: hash)
    if at >= 0 {
      let flow = table.flows[at]
      if isOver(flow, now: now) {
        forget(at)
        cells.add(CounterCells.expired)
        at = FlowTable.nowhere
      } else if flow.endpoint != endpoint {
        guard flow.isClosed, !flow.isLent else { return .flowConflict }
        forget(at)
        at = FlowTable.nowhere
      }
    }
    if at < 0 {
      if flags.has(.rst) { return nil }
      if isTakenByPort(key, isUDP: isUDP, givesWay: true, now: now) { return .flowConflict }
      at = begin(key, hash: hash, endpoint: endpoint, now: now)
      guard at >= 0 else { return .flowTableFull }
      if !isUDP && !flags.has(.syn) { cells.add(CounterCells.resumed) }
    }
    var flow = table.flows[at]
    flow.sawInbound(flags, now: now)
    table.flows[at] = flow
    if isToldAnew(flow) { lendOrTakeBack(at) }
    return nil
  }

  /// The endpoint whose VIP a packet of a VM leaves by, or 0; notes the packet.
  ///
  /// A segment that acknowledges something, from a port that serves one endpoint only, belongs to a connection
  /// of that endpoint even when no record says so: the agent was restarted, or the record was evicted. A VM's own
  /// connections begin with a SYN that acknowledges nothing, and datagrams acknowledge nothing at all.
  @inline(always) mutating func noteOutbound(
    _ key: FlowKey, machine: Int, flags: TCPFlags, isUDP: Bool, now: UInt32
  ) -> UInt16 {
    let hash = key.hash(seed: seed)
    var at = table.find(key, hash: hash)
    if at >= 0 && isOver(table.flows[at], now: now) {
      forget(at)
      cells.add(CounterCells.expired)
      at = FlowTable.nowhere
    }
    if at < 0 {
      guard !isUDP, flags.has(.ack) else { return 0 }
      let port = UInt16(truncatingIfNeeded: key.name)
      let only = directory.onlyEndpoint(machine: machine, isUDP: false, backendPort: port)
      guard only != 0, !isTakenByPort(key, isUDP: false, givesWay: false, now: now) else { return 0 }
      guard !flags.has(.rst) else { return only }
      at = begin(key, hash: hash, endpoint: only, now: now)
      guard at >= 0 else { return only }
      cells.add(CounterCells.resumed)
    }
    var flow = table.flows[at]
    flow.sawOutbound(flags, isUDP: isUDP, now: now)
    table.flows[at] = flow
    if isToldAnew(flow) { lendOrTakeBack(at) }
    return flow.endpoint
  }

  /// Whether the VM has opened this very connection itself, by a leased port; one that is over gives way, and
  /// to a client one that is closed.
  @inline(always) mutating func isTakenByPort(
    _ key: FlowKey, isUDP: Bool, givesWay: Bool, now: UInt32
  ) -> Bool {
    let machine = Int(key.owner & 0x3ff)
    guard ports.machines[machine].flows > 0 else { return false }
    let at = ports.flows.find(
      machine: machine, proto: isUDP ? PortProtocol.udp : PortProtocol.tcp,
      remote: IPv4Address(raw: UInt32(truncatingIfNeeded: key.name &>> 32)),
      remotePort: UInt16(truncatingIfNeeded: key.name &>> 16), localPort: UInt16(truncatingIfNeeded: key.name)
    )
    guard at != 0 else { return false }
    let flow = ports.flows.records[at]
    guard !flow.isLent, givesWay && flow.isClosed || isPortFlowOver(flow, now: now) else { return true }
    forgetPortFlow(at, now: now)
    return false
  }

  /// Makes a record, if need be in the place of one that is missed less; where it lies, or `nowhere`.
  @inline(always) mutating func begin(
    _ key: FlowKey, hash: UInt64, endpoint: UInt16, now: UInt32
  ) -> Int {
    let at = placeForFlow(hash: hash, now: now)
    guard at >= 0 else { return FlowTable.nowhere }
    if !table.flows[at].isEmpty {
      cells.add(isOver(table.flows[at], now: now) ? CounterCells.expired : CounterCells.evicted)
      forget(at)
    }
    let flow = Flow(key, endpoint: endpoint, now: now)
    table.flows[at] = flow
    directory.endpoints[Int(endpoint)].flows &+= 1
    cells.add(CounterCells.machine(flow.machine) &+ 5)
    cells.add(CounterCells.live)
    cells.add(CounterCells.created)
    return at
  }

  /// A place for a new flow, or `nowhere`.
  ///
  /// An empty place, or else that of a flow that is over, or else that of the half-open or closed flow which has
  /// been silent longest. An established flow never gives way to a new one, nor does
  /// one that is lent.
  @inline(always) private func placeForFlow(hash: UInt64, now: UInt32) -> Int {
    var best = FlowTable.nowhere
    var longest: Int64 = -1
    for way in 0..<(2 &* FlowTable.ways) {
      let at = table.candidate(way, hash: hash)
      let flow = table.flows[at]
      if flow.isEmpty { return at }
      var silence = Int64(Int32(bitPattern: now &- flow.lastSeen))
      if isOver(flow, now: now) {
        silence = .max
      } else if flow.isKnown || flow.isLent {
        silence = -1
      } else {
        silence = max(0, silence)
      }
      if silence > longest {
        longest = silence
        best = at
      }
    }
    return best
  }

  /// Empties a place of the table.
  @inline(always) mutating func forget(_ at: Int) {
    let flow = table.flows[at]
    directory.endpoints[Int(flow.endpoint)].flows &-= 1
    cells.subtract(CounterCells.machine(flow.machine) &+ 5)
    cells.subtract(CounterCells.live)
    table.flows[at] = Flow()
  }

  /// Forgets every flow whose endpoint is gone; walks the whole table.
  mutating func forgetDead() {
    for at in 0..<table.flows.count {
      let flow = table.flows[at]
      guard !flow.isEmpty, !directory.endpoints[Int(flow.endpoint)].isAlive else { continue }
      forget(at)
      cells.add(CounterCells.expired)
    }
  }
}
