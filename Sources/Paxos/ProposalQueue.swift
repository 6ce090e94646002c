/// Proposals that have no slot yet, within the limits.
struct ProposalQueue: Sendable {
  struct Proposal: Sendable {
    var request: RequestID
    var entry: Entry
  }

  private var items: [Proposal] = []
  private var taken = 0
  private var octets = 0

  /// Whether there is room for an entry of this size.
  func hasRoom(for size: Int) -> Bool {
    items.count - taken < Limits.queuedProposals && octets + size <= Limits.queuedBytes
  }

  mutating func append(_ proposal: Proposal) {
    items.append(proposal)
    octets += proposal.entry.size
  }

  mutating func takeNext() -> Proposal? {
    guard taken < items.count else { return nil }
    let proposal = items[taken]
    taken += 1
    octets -= proposal.entry.size
    if taken == items.count || taken >= Limits.queuedProposals {
      items.removeFirst(taken)
      taken = 0
    }
    return proposal
  }

  mutating func takeAll() -> [Proposal] {
    let rest = Array(items[taken...])
    self = ProposalQueue()
    return rest
  }
}
