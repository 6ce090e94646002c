import Control
import Paxos

/// Operators in the world: what they ask, and what becomes of it.
extension World {
  /// The place of those who ask many things at once.
  static let crowd = 15

  /// A client acts again then, and not at any other time that was meant for it.
  mutating func wake(client index: Int, at moment: Moment) {
    clients[index].turn += 1
    agenda.add(.client(index, turn: clients[index].turn), at: moment)
  }

  mutating func wake(client index: Int) {
    if clients[index].attempt != nil {
      guard let attempt = clients[index].attempt, time >= attempt.deadline else { return }
      giveUp(index)
    }
    guard !isQuiet else { return }
    ask(drawCall(index), by: index, redirects: 0)
  }

  private mutating func drawCall(_ index: Int) -> Call {
    if history.isEmpty { return .change(plan.workload.foundation(&chance)) }
    switch chance.number(0...9) {
    case 0...3: return .state
    case 4: return .dryRun(plan.workload.operation(&chance))
    case 5 where chance.happens(perThousand: 250): return .recall(plan.workload.recall(&chance))
    default: break
    }
    // Now and then all is put right again, so that not everything stays deleted.
    let operation =
      chance.happens(perThousand: 60)
      ? plan.workload.foundation(&chance) : plan.workload.operation(&chance)
    return .change(operation)
  }

  private mutating func giveUp(_ index: Int) {
    counts[.requestsUnanswered] += 1
    guard let ticket = clients[index].giveUp() else { return }
    if case .wait = ticket.call {
      let letGo = Ticket(client: index, attempt: -1, call: .letGo(attempt: ticket.attempt))
      send(letGo, to: clients[index].target)
    }
    clients[index].target = (clients[index].target + 1) % machines.count
  }

  private mutating func ask(_ call: Call, by index: Int, redirects: Int) {
    let ticket = Ticket(client: index, attempt: history.ask(call), call: call)
    let deadline = time + chance.number(ClientProcess.patience)
    clients[index].ask(ticket, until: deadline, redirects: redirects)
    wake(client: index, at: deadline)
    send(ticket, to: clients[index].target)
  }

  mutating func send(_ ticket: Ticket, to manager: Int) {
    guard !network.isCut(from: .client(ticket.client), to: .manager(manager)) else { return }
    agenda.add(.request(ticket, manager: manager), at: time + network.delay(&chance))
  }

  mutating func deliver(_ ticket: Ticket, to manager: Int, _ event: Event) {
    guard isAwake(manager, machines[manager].life, event) else { return }
    step(manager) { process, now in process.take(ticket, now) }
  }

  mutating func deliver(_ answer: Answer, to ticket: Ticket, from manager: Int) {
    let kind = check { world throws(Finding) in try world.history.answered(ticket.attempt, answer) }
    guard let kind else { return }
    counts[kind] += 1
    if kind == .writesAcknowledged, isCalm { acknowledgedInCalm += 1 }
    guard clients.indices.contains(ticket.client), let attempt = clients[ticket.client].take(ticket) else {
      return
    }
    follow(answer, to: attempt, by: ticket.client)
  }

  /// What the client does next.
  private mutating func follow(_ answer: Answer, to attempt: ClientProcess.Attempt, by index: Int) {
    switch answer {
    case .outcome(let outcome)
    where outcome.errors.isEmpty && chance.happens(perThousand: 250) && !isQuiet:
      ask(.wait(outcome.revision), by: index, redirects: 0)
    case .failed(.notPrimary(let address)):
      let hint = manager(at: address)
      clients[index].target = hint ?? (clients[index].target + 1) % machines.count
      guard hint == nil || attempt.redirects >= ClientProcess.redirects || isQuiet else {
        return ask(attempt.ticket.call, by: index, redirects: attempt.redirects + 1)
      }
      wake(client: index, at: time + .milliseconds(100) + chance.number(plan.thinking))
    case .failed(.overloaded(_, let milliseconds)):
      wake(client: index, at: time + .milliseconds(Int(milliseconds)))
    default:
      wake(client: index, at: time + chance.number(plan.thinking))
    }
  }

  func manager(at address: String?) -> Int? {
    address.flatMap { UInt64($0) }.flatMap { directory[ReplicaID($0)] }
  }
}
