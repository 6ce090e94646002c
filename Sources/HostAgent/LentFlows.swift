public import Dataplane
import Wire

// Flows that are lent to the kernel: who is told what, and how they come back.
//
// ```
//  known ──► .known ──► the kernel carries it ──► a FIN or RST, which the kernel hands up ──► .ended
//                              │ ▲
//                      silence │ │ settle: the kernel has seen it since
//                              ▼ │
//                           .silent ──► settle: it has not ──► the record ends
// ```
extension HostAgent {
  /// The next thing to tell the kernel, in order; nil when there is nothing.
  ///
  /// A worker takes all after each batch. Only VMs with `lendsFlows` have any.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func takeChange() -> FlowChange? { changes.take() }

  /// Answers `.silent`: when the kernel last saw the flow, or nil when it does not carry it.
  ///
  /// - Returns: whether the kernel may go on; if not, it must have forgotten the flow before the next packet.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func settle(_ flow: KnownFlow, lastSeen: UInt32?, now: UInt32) -> Bool {
    let at = place(of: flow)
    guard at >= 0 else { return settlePortFlow(flow, lastSeen: lastSeen, now: now) }
    var record = table.flows[at]
    guard record.isLent else { return false }
    let endpoint = directory.endpoints[Int(record.endpoint)]
    if let lastSeen, Int32(bitPattern: lastSeen &- record.lastSeen) > 0 { record.lastSeen = lastSeen }
    let mayGoOn =
      lastSeen != nil && endpoint.isAlive && record.isKnown
      && !record.isExpired(idle: endpoint.idle, now: now)
    record.isLent = mayGoOn
    table.flows[at] = record
    return mayGoOn
  }

  /// Takes over a flow that the kernel has been carrying since before this agent was made; its endpoint must be in the
  /// map, or its range be leased, before.
  ///
  /// - Returns: whether it is known here now; if not, the kernel must carry it no more.
  public mutating func restore(_ flow: KnownFlow, lastSeen: UInt32, now: UInt32) -> Bool {
    let machine = Int(flow.machine & 0x3ff)
    let isUDP = flow.proto == .udp
    guard directory.machines[machine].lendsFlows, directory.machines[machine].locator == flow.locator,
      directory.machines[machine].dip == flow.dip
    else { return false }
    let number = directory.endpoint(machine: machine, isUDP: isUDP, vip: flow.vip, port: flow.vipPort)
    guard number != 0 else { return restorePortFlow(flow, lastSeen: lastSeen, now: now) }
    guard directory.endpoints[Int(number)].backendPort == flow.backendPort else { return false }
    let key = key(of: flow)
    let hash = key.hash(seed: seed)
    var at = table.find(key, hash: hash)
    if at >= 0, table.flows[at].endpoint != number { return false }
    if at < 0 { at = begin(key, hash: hash, endpoint: number, now: now) }
    guard at >= 0 else { return false }
    var record = table.flows[at]
    guard !record.isClosed else { return false }
    record.owner |= Flow.answered | Flow.established
    record.lastSeen = lastSeen
    record.isLent = true
    table.flows[at] = record
    cells.add(CounterCells.resumed)
    return true
  }

  /// Whether the kernel has to hear of the flow's new state.
  @inline(always) func isToldAnew(_ flow: Flow) -> Bool {
    flow.isKnown != flow.isLent && (flow.isLent || directory.machines[flow.machine].lendsFlows)
  }

  /// Tells the kernel of a flow that has become known, or that is no longer so.
  ///
  /// Without room for the change everything stays as it is until the flow's next packet, or the next sweep.
  mutating func lendOrTakeBack(_ at: Int) {
    var flow = table.flows[at]
    guard !changes.isFull else { return }
    changes.append(FlowChange(flow.isLent ? .ended : .known, describe(flow)))
    flow.isLent.toggle()
    table.flows[at] = flow
  }

  /// Asks about a lent flow that seems silent, takes back one that is over.
  mutating func review(_ at: Int, now: UInt32) {
    let flow = table.flows[at]
    let endpoint = directory.endpoints[Int(flow.endpoint)]
    guard endpoint.isAlive, flow.isKnown else { return lendOrTakeBack(at) }
    guard flow.isExpired(idle: endpoint.idle, now: now), !changes.isFull else { return }
    changes.append(FlowChange(.silent, describe(flow)))
  }

  @inline(always) private func describe(_ flow: Flow) -> KnownFlow {
    let endpoint = directory.endpoints[Int(flow.endpoint)]
    let machine = directory.machines[flow.machine]
    return KnownFlow(
      machine: UInt32(flow.machine), locator: machine.locator, dip: machine.dip, vip: endpoint.vip,
      vipPort: endpoint.port, backendPort: endpoint.backendPort,
      remote: IPv4Address(raw: UInt32(truncatingIfNeeded: flow.name &>> 32)),
      remotePort: UInt16(truncatingIfNeeded: flow.name &>> 16), proto: endpoint.proto)
  }

  @inline(always) private func key(of flow: KnownFlow) -> FlowKey {
    FlowKey(
      machine: Int(flow.machine), isUDP: flow.proto == .udp, remote: flow.remote, remotePort: flow.remotePort,
      localPort: flow.backendPort)
  }

  @inline(always) private func place(of flow: KnownFlow) -> Int {
    let key = key(of: flow)
    return table.find(key, hash: key.hash(seed: seed))
  }
}
