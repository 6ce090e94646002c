import Control
import Manager
import Paxos

/// Managers in the world: their starts and ends, and what they want done.
extension World {
  mutating func populate() {
    let founders = plan.founderIDs
    for founder in founders {
      addMachine(DurableState(founding: Self.cluster, replica: founder, founders: founders))
    }
    // One to spare, which may be given a vote.
    addMachine(
      DurableState(joining: Self.cluster, replica: ReplicaID(UInt64(plan.founders) + 1)))
    for name in plan.workload.nodeNames {
      agents.append(AgentProcess(name: name))
      agenda.add(.agent(agents.count - 1, life: 0), at: chance.number(0...(.milliseconds(300))))
    }
    for index in 0..<plan.clients {
      clients.append(ClientProcess(target: chance.number(0...plan.founders - 1)))
      wake(client: index, at: .milliseconds(1_000) + index)
    }
  }

  private mutating func addMachine(_ state: DurableState) {
    let drift = chance.happens(perThousand: 500) ? -plan.clockBound : plan.clockBound
    machines.append(
      ManagerMachine(
        id: state.replica, disk: SimulatedDisk(state),
        clock: SimulatedClock(drift: drift, showing: chance.number(0...1_000_000))))
    directory[state.replica] = machines.count - 1
    agenda.add(.start(machines.count - 1), at: chance.number(0...(.milliseconds(50))))
  }

  mutating func start(_ index: Int) {
    guard machines[index].process == nil else { return }
    guard machines[index].disk.fullUntil <= time else {
      return agenda.add(.start(index), at: machines[index].disk.fullUntil)
    }
    machines[index].life += 1
    machines[index].suspendedUntil = 0
    machines[index].stagesAt = nil
    var tuning = plan.tuning
    if bug == .leaseIgnoresDrift { tuning.drift = 0 }
    do {
      let replica = try Replica(
        recovering: machines[index].disk.durable, cluster: Self.cluster,
        contacts: machines.map(\.id).filter { $0 != machines[index].id }, tuning: tuning,
        seed: chance.next())
      machines[index].process = ManagerProcess(replica, book: book, bug: bug, seed: chance.next())
    } catch {
      return fail(.recovery, "replica \(machines[index].id.number) does not start: \(error)")
    }
    let name = machines[index].id.number
    note("manager \(index) starts as replica \(name)")
    agenda.add(.tick(index, life: machines[index].life), at: time + chance.number(0...plan.tick))
  }

  /// A process ends; of what was not synced, some may have reached the disk, in order.
  mutating func crash(_ index: Int, back delay: Moment) {
    guard machines[index].process != nil else { return }
    note("manager \(index) crashes")
    end(index)
    if machines[index].disk.crash(&chance, bug: bug) { counts[.tornWrites] += 1 }
    agenda.add(.start(index), at: time + delay)
  }

  mutating func end(_ index: Int) {
    machines[index].process = nil
    machines[index].heldBack = []
    machines[index].life += 1
    fencing.ended(index)
  }

  /// A process that was stopped goes on where it was, with all that has come meanwhile.
  mutating func resume(_ index: Int) {
    machines[index].suspendedUntil = 0
    for event in machines[index].heldBack { agenda.add(event, at: time) }
    machines[index].heldBack = []
  }

  // MARK: What a process wants done

  /// Lets a process do something, and carries out what it wants done.
  mutating func step(_ index: Int, _ body: (ManagerProcess, ManagerProcess.Now) -> Void) {
    machines[index].step(time, body)
    settle(index)
  }

  private mutating func settle(_ index: Int) {
    guard let effects = machines[index].process?.takeEffects() else { return }
    trace.mix(UInt64(index << 8 + effects.count))
    for effect in effects {
      guard machines[index].process != nil, finding == nil else { return }
      carryOut(effect, of: index)
    }
    checkLease(index)
    guard let due = machines[index].process?.desk.nextMoment else { return }
    if let planned = machines[index].stagesAt, planned <= due { return }
    machines[index].stagesAt = due
    agenda.add(.stages(index, life: machines[index].life), at: max(time, due))
  }

  /// Only an input to a holder can make two of one.
  private mutating func checkLease(_ index: Int) {
    guard holdsLease(index) else { return }
    let holders = machines.indices.filter(holdsLease)
    if holders.count > 1 {
      fail(.lease, "replicas \(holders.map { machines[$0].id.number }) hold the lease at the same time")
    }
  }

  private func holdsLease(_ index: Int) -> Bool {
    machines[index].process?.replica.holdsLease(at: machines[index].clock.reading(at: time)) ?? false
  }

  private mutating func carryOut(_ effect: ManagerProcess.Effect, of index: Int) {
    switch effect {
    case .persist(let batch): persist(batch, of: index)
    case .send(let envelope): send(envelope, from: index)
    case .answer(let ticket, let answer): self.answer(ticket, answer, from: index)
    case .tell(let stream, let item): tell(stream, item)
    case .seen(let sight): see(sight, in: index)
    }
  }

  private mutating func persist(_ batch: WriteBatch, of index: Int) {
    guard machines[index].disk.fullUntil <= time else {
      // The replica stops cleanly: what was not written was not promised.
      note("manager \(index) stops: its disk is full")
      counts[.disksFull] += 1
      end(index)
      _ = machines[index].disk.crash(&chance, bug: bug)
      return agenda.add(.start(index), at: machines[index].disk.fullUntil)
    }
    let life = machines[index].life
    let due = machines[index].disk.write(batch, at: time, taking: chance.number(plan.writing))
    agenda.add(.synced(index, life: life, batch.id), at: due)
    if bug == .acceptAnsweredBeforeFsync {
      agenda.add(.claimedSynced(index, life: life, batch.id), at: time)
    }
  }

  private mutating func send(_ envelope: Envelope, from index: Int) {
    guard let receiver = directory[envelope.to] else { return }
    guard !network.isCut(from: .manager(index), to: .manager(receiver)) else { return }
    if chance.happens(perThousand: network.lossPerThousand) {
      counts[.messagesLost] += 1
    } else {
      agenda.add(.envelope(envelope), at: time + network.delay(&chance))
    }
    if chance.happens(perThousand: network.repetitionPerThousand) {
      counts[.messagesRepeated] += 1
      agenda.add(.envelope(envelope), at: time + 20 * network.delay(&chance))
    }
  }

  private mutating func answer(_ ticket: Ticket, _ answer: Answer, from index: Int) {
    // What is refused is refused, whether the one who asked hears of it or not.
    guard !network.isCut(from: .manager(index), to: .client(ticket.client)) else { return }
    agenda.add(.answer(ticket, answer, manager: index), at: time + network.delay(&chance))
  }
}
