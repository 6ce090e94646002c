public import Control
import Manager
import SEDA
import Synchronization

/// Leased ports at a running manager.
extension ManagerReplica {
  /// Calls leased ports back; returns how many ranges it was, when that is durable.
  public func recall(_ recall: PortRecall, by identity: Identity) async throws(ManagementError) -> Int {
    guard !desk.withLock({ $0.isStopped }) else { throw .notPrimary(address: nil) }
    let (author, epoch) = (author(identity), desk.withLock { $0.epoch })
    let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Desk.Count, Never>) in
      let id = desk.withLock { desk in
        let id = RequestID(desk.nextID())
        desk.begin(id, continuation)
        return id
      }
      let key = StageKey(identity, request: id.number)
      // As what is taken away: who recalls ports wants something to stop.
      let admission = pool.offer(key, to: .vipValidation, .high) {
        self.fail(id, Self.expired(.vipValidation))
      } run: {
        self.feed(.recall(id, recall, by: author))
      }
      if let error = error(admission, .vipValidation) { fail(id, error) }
    }
    let count: Int
    do throws(ManagementError) {
      count = try answer.get()
    } catch {
      throw explained(error)
    }
    if count == 0 { try await confirm(since: epoch) }
    return count
  }

  /// A host asks for ports; what the stage has no room for is answered so, and the host asks again later.
  ///
  /// Who asks again before the time that the refusal named has its answer already.
  /// Nobody waits for its turn: what the agent says after it is not held up, however much it asks for.
  func take(_ request: PortRequest, of node: String, from session: SessionID) {
    @Sendable func refuse(_ milliseconds: UInt32) {
      let refusal = PortRefusal(
        locator: request.locator, reason: .overloaded, retryAfterMilliseconds: milliseconds)
      desk.withLock { $0.refuse(refusal, session) }
    }
    // Each VM of the host has a turn of its own; what it invents shares one.
    let key = desk.withLock { desk -> StageKey? in
      guard !desk.isEarly(request, session) else { return nil }
      return desk.manager.state.host(of: request.locator) == node ? .machine(request) : .node(node)
    }
    guard let key else { return }
    let admission = pool.offer(key, to: .snatManagement, .normal) {
      refuse(UInt32(Limits.sleepMilliseconds))
    } run: {
      self.feed(.report(.portRequest(request), session))
    }
    if case .shed(_, let milliseconds) = admission { refuse(milliseconds) }
  }
}
