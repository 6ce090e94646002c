import Control
import Paxos

/// What goes wrong in the world.
extension World {
  mutating func trouble() {
    guard time < plan.troubleEnds else { return calm() }
    agenda.add(.trouble, at: time + chance.number(plan.pace))
    guard let fault = rates.draw(&chance) else { return }
    note("fault: \(fault.rawValue)")
    let victim = chance.number(0...machines.count - 1)
    switch fault {
    case .loss, .delay, .repetition: weather(fault)
    case .partition: partition(leader ?? victim)
    case .oneWayPartition: cutOneWay()
    case .drift: changeDrift(victim)
    case .clockJump: jumpClock(victim)
    case .suspension: suspend(chance.happens(perThousand: 600) ? leader ?? victim : victim)
    case .crash:
      counts[.crashes] += 1
      crash(chance.happens(perThousand: 400) ? leader ?? victim : victim, back: downtime())
    case .powerFailure: failPower()
    case .diskStall: stallDisk(chance.happens(perThousand: 400) ? leader ?? victim : victim)
    case .diskFull: machines[victim].disk.fullUntil = time + chance.number(.milliseconds(100)...(.seconds(8)))
    case .diskLoss: loseDisk(victim)
    case .membershipChange: changeMembership()
    case .transfer: transfer()
    case .agentCrash: crashAgent(chance.number(0...agents.count - 1))
    case .deafness: deafenAgent(chance.number(0...agents.count - 1))
    case .lateness: lateUntil = time + chance.number(.seconds(1)...(.seconds(8)))
    case .overload: overload()
    }
  }

  /// Who believes to lead.
  var leaders: [Int] { machines.indices.filter { machines[$0].process?.replica.status.role == .leader } }
  var leader: Int? { leaders.first }

  /// A second is usual, some take longer.
  private mutating func downtime() -> Moment {
    chance.number(
      .milliseconds(20)...(chance.happens(perThousand: 150) ? .seconds(15) : .milliseconds(1_500)))
  }

  /// All managers end at once, often after a moment in which their disks were slow.
  private mutating func failPower() {
    let brownout =
      chance.happens(perThousand: 500) ? chance.number(.milliseconds(5)...(.milliseconds(400))) : 0
    if brownout > 0 {
      for index in machines.indices { machines[index].disk.stall(until: time + 2 * brownout) }
    }
    agenda.add(.blackout, at: time + brownout)
  }

  mutating func blackout() {
    guard !isCalm else { return }
    counts[.powerFailures] += 1
    for index in machines.indices { crash(index, back: downtime()) }
  }

  // MARK: Network

  private mutating func weather(_ fault: Fault) {
    weatherChanges += 1
    switch fault {
    case .loss: network.lossPerThousand = chance.number(20...300)
    case .repetition: network.repetitionPerThousand = chance.number(20...200)
    default:
      counts[.delays] += 1
      network.longestDelay = chance.number(.milliseconds(5)...(.milliseconds(400)))
    }
    agenda.add(.calmNetwork(weatherChanges), at: time + chance.number(.seconds(1)...(.seconds(8))))
  }

  private mutating func willMend() {
    cutsMade += 1
    agenda.add(.mend(cutsMade), at: time + chance.number(.milliseconds(300)...(.seconds(9))))
  }

  /// Cuts a manager off, from the others only or from everybody; or splits all into two sides.
  private mutating func partition(_ victim: Int) {
    counts[.partitions] += 1
    network.heal()
    var here: [Place] = [.manager(victim)]
    var there = machines.indices.filter { $0 != victim }.map(Place.manager)
    switch chance.number(0...2) {
    case 0: break
    case 1: there += agents.indices.map(Place.agent) + clients.indices.map(Place.client)
    default:
      let others =
        there.dropFirst() + agents.indices.map(Place.agent) + clients.indices.map(Place.client)
      there = Array(there.prefix(1))
      for place in others {
        if chance.happens(perThousand: 500) { here.append(place) } else { there.append(place) }
      }
    }
    for left in here { for right in there { network.cutBothWays(left, right) } }
    willMend()
  }

  private mutating func cutOneWay() {
    counts[.oneWayPartitions] += 1
    let places =
      machines.indices.map(Place.manager) + agents.indices.map(Place.agent)
      + clients.indices.map(Place.client)
    for left in machines.indices.map(Place.manager) {
      for right in places where left != right {
        if chance.happens(perThousand: 200) { network.cut(from: left, to: right) }
        if chance.happens(perThousand: 100) { network.cut(from: right, to: left) }
      }
    }
    willMend()
  }

  // MARK: Machines

  private mutating func changeDrift(_ victim: Int) {
    counts[.driftChanges] += 1
    machines[victim].clock.change(drift: chance.number(-plan.clockBound...plan.clockBound), at: time)
  }

  /// Up to three hours on the wall, to either side.
  private mutating func jumpClock(_ victim: Int) {
    counts[.clockJumps] += 1
    machines[victim].clock.jump(milliseconds: chance.number(-10_800_000...10_800_000))
  }

  private mutating func suspend(_ victim: Int) {
    guard machines[victim].process != nil else { return }
    counts[.suspensions] += 1
    let longest: Moment = plan.isLong && chance.happens(perThousand: 300) ? .seconds(120) : .seconds(4)
    let end = time + chance.number(.milliseconds(50)...longest)
    machines[victim].suspendedUntil = max(machines[victim].suspendedUntil, end)
    agenda.add(.resume(victim), at: machines[victim].suspendedUntil)
  }

  private mutating func stallDisk(_ victim: Int) {
    counts[.diskStalls] += 1
    let longest: Moment = plan.isLong && chance.happens(perThousand: 500) ? .seconds(150) : .seconds(5)
    machines[victim].disk.stall(until: time + chance.number(.milliseconds(50)...longest))
  }

  private mutating func crashAgent(_ index: Int) {
    guard agents[index].isUp else { return }
    counts[.agentCrashes] += 1
    agents[index].crash()
    agenda.add(.startAgent(index), at: time + chance.number(.milliseconds(50)...(.seconds(3))))
  }

  private mutating func deafenAgent(_ index: Int) {
    guard agents[index].isUp else { return }
    counts[.agentsDeaf] += 1
    agents[index].deafUntil = time + chance.number(.seconds(1)...(.seconds(20)))
  }

  /// Many requests at once, and many reports.
  private mutating func overload() {
    guard let leader else { return }
    counts[.bursts] += 1
    for _ in 0..<chance.number(20...60) {
      let call: Call = chance.happens(perThousand: 700) ? .state : .change(plan.workload.operation(&chance))
      send(Ticket(client: Self.crowd, attempt: history.ask(call), call: call), to: leader)
    }
    for index in agents.indices where agents[index].isAccepted {
      guard let stream = agents[index].current else { continue }
      for _ in 0..<20 { say(.report(.statistics(Self.statistics)), on: stream) }
    }
  }

  // MARK: Who votes

  private func hasDisk(_ replica: ReplicaID) -> Bool { machines.contains { $0.id == replica } }

  /// One voter at a time may lose its disk: two of three would take what was acknowledged with them.
  ///
  /// What the log says counts, not what a replica that happens to run has learned: it may not know yet that
  /// another disk was lost.
  private mutating func loseDisk(_ index: Int) {
    let voters = log.voters
    guard counts[.disksLost] < Limits.disksLost, log.isMembershipInForce, voters.count >= 3,
      voters.contains(machines[index].id), voters.allSatisfy(hasDisk)
    else { return }
    counts[.disksLost] += 1
    if machines[index].process != nil { end(index) }
    let old = machines[index].id
    let new = bug == .amnesiacVoter ? old : ReplicaID(UInt64(directory.count) + 1)
    note("manager \(index) loses its disk, and comes back as replica \(new.number)")
    machines[index].id = new
    machines[index].disk = SimulatedDisk(DurableState(joining: Self.cluster, replica: new))
    directory[new] = index
    agenda.add(.start(index), at: time + chance.number(.milliseconds(100)...(.seconds(2))))
  }

  /// Operators replace who has lost a disk; otherwise someone is added or removed.
  private mutating func changeMembership() {
    guard let leader else { return }
    let voters = log.voters
    let outsiders = machines.map(\.id).filter { !voters.contains($0) }
    let lost = voters.filter { !hasDisk($0) }
    if let outsider = chance.pick(outsiders), voters.count <= plan.founders {
      administer(.add(outsider), at: leader)
    } else if let voter = lost.first {
      administer(.remove(voter), at: leader)
    } else if voters.count > 3, let voter = chance.pick(voters) {
      administer(.remove(voter), at: leader)
    }
  }

  private mutating func administer(_ change: Membership.Change, at leader: Int) {
    administrations += 1
    let request = RequestID(administrations)
    step(leader) { process, now in process.handle(.reconfigure(request, change), now) }
  }

  private mutating func transfer() {
    guard let leader, let voters = machines[leader].process?.replica.status.voters,
      let successor = chance.pick(voters)
    else { return }
    counts[.transfers] += 1
    handOver(from: leader, to: directory[successor] ?? leader)
  }

  mutating func handOver(from leader: Int, to successor: Int) {
    administrations += 1
    let request = RequestID(administrations)
    let id = machines[successor].id
    step(leader) { process, now in process.handle(.transfer(request, to: id), now) }
  }
}
