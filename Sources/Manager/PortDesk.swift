import Control
import Wire

/// What hosts ask for and give back, on its way into the log: what comes while two entries are on their way shares
/// the next.
struct PortDesk {
  private var requests: [PortRequest] = []
  private var returns: [PortReturn] = []
  private var inFlight = 0
  /// VMs whose request is on its way, and on which node they are.
  private var asking: [IPv4Address: String] = [:]
  private var returning: Set<PortRange> = []
  /// Nodes whose orphans are about to be free.
  private var releasing: Set<String> = []
  /// Requests that a VM may make at once; one that is missing may make all.
  private var allowance: [IPv4Address: Int] = [:]
  /// Refusals of the last minute that the log of events names, and since when.
  private var named: [Refused: UInt64] = [:]
  private var lastTick: UInt64 = 0
  /// All leases up to this revision are ripe, and the log does not say so yet.
  private var ripe: Revision?
  private var isSayingRipe = false
  private var ripeSaidAt: UInt64 = 0

  private struct Refused: Hashable {
    let locator: IPv4Address
    let reason: PortRefusal.Reason
    let isForeign: Bool
  }

  var isFull: Bool { requests.count >= Limits.requestsWaiting }

  /// Whether a VM's request is on its way.
  func isAsking(_ locator: IPv4Address) -> Bool { asking[locator] != nil }

  /// Counts a request; false when the VM asks too often.
  mutating func allows(_ locator: IPv4Address) -> Bool {
    let rest = allowance[locator] ?? Limits.requestBurst
    guard rest > 0 else { return false }
    allowance[locator] = rest - 1
    return true
  }

  /// Time passes, and lets VMs ask again.
  mutating func tick(_ now: UInt64) {
    let tenths = Int(min(now >= lastTick ? now - lastTick : 0, 60_000) / 100)
    lastTick = now
    let more = tenths * Limits.requestsPerSecond / 10
    for (locator, rest) in allowance {
      allowance[locator] = rest + more >= Limits.requestBurst ? nil : rest + more
    }
    named = named.filter { now < $0.value + Limits.refusalEventMilliseconds }
  }

  /// Whether an event is to say that a VM gets no ports, and why: once a minute for each reason.
  ///
  /// Only for locators of VMs: those that hosts invent have no bound.
  ///
  /// What a host asks for that the VM is not on does not hide what its own host asks for.
  mutating func isNews(_ refusal: PortRefusal, isForeign: Bool, at now: UInt64) -> Bool {
    let refused = Refused(locator: refusal.locator, reason: refusal.reason, isForeign: isForeign)
    guard named[refused] == nil else { return false }
    named[refused] = now
    return true
  }

  /// Takes a request of a VM on this node.
  mutating func take(_ request: PortRequest, from node: String) {
    requests.append(request)
    asking[request.locator] = node
  }

  /// Takes a range that a host has stopped using; one that is on its way already is not taken twice, and what there is
  /// no room for is said again.
  mutating func take(_ item: PortReturn) {
    guard returns.count < Limits.returnsWaiting, returning.insert(item.lease.range).inserted else { return }
    returns.append(item)
  }

  /// A node has let go of its orphans up to a revision; nothing when that is on its way.
  mutating func release(_ node: String, upTo revision: Revision) -> Entry? {
    guard releasing.insert(node).inserted else { return nil }
    inFlight += 1
    return .portsReleased(node: node, upTo: revision)
  }

  /// Leases up to this revision are ripe.
  mutating func ripened(upTo revision: Revision) { ripe = revision }

  /// What the log is to be told of that, if anything.
  mutating func sayRipe(at now: UInt64) -> Entry? {
    guard let revision = ripe, !isSayingRipe, now >= ripeSaidAt + Limits.ripeMilliseconds else { return nil }
    ripe = nil
    isSayingRipe = true
    ripeSaidAt = now
    return .portsRipe(upTo: revision)
  }

  /// The log has been told.
  mutating func landedRipe() { isSayingRipe = false }

  /// What is to be appended now.
  mutating func next(at wall: UInt64) -> [Entry] {
    var entries: [Entry] = []
    while inFlight < Limits.portEntriesInFlight, !requests.isEmpty || !returns.isEmpty {
      inFlight += 1
      if !returns.isEmpty {
        entries.append(.portsReturned(returns))
        returns = []
      } else {
        let part = Array(requests.prefix(Limits.requestsPerEntry))
        requests.removeFirst(part.count)
        entries.append(.portsRequested(part, at: wall))
      }
    }
    return entries
  }

  /// An entry about ports has come out of the log: who asked in it.
  mutating func landed(_ entry: Entry) -> [(locator: IPv4Address, node: String)] {
    inFlight = max(0, inFlight - 1)
    switch entry {
    case .portsRequested(let requests, _):
      return requests.compactMap { request in
        asking.removeValue(forKey: request.locator).map { (request.locator, $0) }
      }
    case .portsReturned(let returns): for item in returns { returning.remove(item.lease.range) }
    case .portsReleased(let node, _): releasing.remove(node)
    default: break
    }
    return []
  }
}
