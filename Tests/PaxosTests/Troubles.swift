import Paxos

/// What goes wrong in a simulated cluster.
extension World {
  mutating func trouble() {
    let victim = chance.number(0...nodes.count - 1)
    switch chance.number(0...17) {
    case 0, 1: crash(victim)
    case 2: crash(leaderIndex ?? victim)
    case 3, 4: isolate(leaderIndex ?? victim)
    case 5: cutOneWay()
    case 6, 7: network.heal()
    case 8:
      network.lossPerThousand = chance.number(0...250)
      network.repeatsPerThousand = chance.number(0...150)
      network.longestDelay = chance.number(2...30)
    case 9: nodes[victim].diskFree = time + chance.number(50...1_200)
    case 10, 11, 12: changeMembership()
    case 13: powerFailure()
    case 14: stop(victim)
    case 15: stop(leaderIndex ?? victim)
    default: transfer()
    }
  }

  private var leaderIndex: Int? {
    nodes.firstIndex { $0.replica?.status.role == .leader }
  }

  private mutating func crash(_ index: Int) {
    if bug == .amnesiacVoter {
      nodes[index].durable = DurableState(joining: Self.cluster, replica: nodes[index].id)
      nodes[index].unsynced = []
    }
    crash(index, back: chance.number(10...500))
  }

  /// Everything ends at once, perhaps while disks stood still.
  private mutating func powerFailure() {
    for index in nodes.indices { crash(index, back: chance.number(10...500)) }
  }

  /// A process is stopped and goes on; its clock does not stop.
  private mutating func stop(_ index: Int) {
    nodes[index].stoppedUntil = time + chance.number(50...800)
  }

  private mutating func isolate(_ index: Int) {
    let victim = nodes[index].id
    for other in nodes.map(\.id) where other != victim {
      network.cut(from: victim, to: other)
      network.cut(from: other, to: victim)
    }
  }

  private mutating func cutOneWay() {
    for left in nodes.map(\.id) {
      for right in nodes.map(\.id) where left != right && chance.happens(perThousand: 250) {
        network.cut(from: left, to: right)
      }
    }
  }

  private mutating func changeMembership() {
    guard let leaderIndex, nodes[leaderIndex].stoppedUntil <= time,
      let voters = nodes[leaderIndex].replica?.status.voters
    else { return }
    let outsiders = nodes.map(\.id).filter { !voters.contains($0) }
    let request = RequestID(1_000_000 + UInt64(time))
    if outsiders.isEmpty, nodes.count < 8 {
      addNode(DurableState(joining: Self.cluster, replica: ReplicaID(UInt64(nodes.count) + 1)))
    } else if let outsider = outsiders.randomElement(using: &chance),
      voters.count < 5 || chance.happens(perThousand: 200)
    {
      input(.reconfigure(request, .add(outsider)), to: leaderIndex)
    } else if voters.count > 3 || voters.count > 1 && chance.happens(perThousand: 100),
      let voter = voters.randomElement(using: &chance)
    {
      input(.reconfigure(request, .remove(voter)), to: leaderIndex)
    }
  }

  private mutating func transfer() {
    guard let leaderIndex, nodes[leaderIndex].stoppedUntil <= time,
      let successor = nodes[leaderIndex].replica?.status.voters.randomElement(using: &chance)
    else { return }
    input(.transfer(RequestID(2_000_000 + UInt64(time)), to: successor), to: leaderIndex)
  }
}
