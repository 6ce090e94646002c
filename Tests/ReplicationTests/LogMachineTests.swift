import Control
import Manager
import Paxos
import Testing

@testable import Replication

/// What `PaxosLog` decides, step by step, with a disk that syncs at once.
@Suite("The machine of a log") struct LogMachineTests {
  private static let address = ManagerAddress(host: "10.1.1.2", port: 4600)
  private static let settings = ReplicationSettings(node: "n0", address: address, managers: [address])

  private static func note(_ index: Int) -> Manager::Entry {
    .note("\(index)", by: Author(name: "test", at: 0))
  }

  /// Takes an input, and confirms what is to be durable until nothing is left.
  private static func feed(_ machine: inout LogMachine, _ input: LogInput, at now: UInt64) -> [LogEffect] {
    var all = machine.handle(input, at: now)
    var next = all
    while !next.isEmpty {
      var answers: [LogEffect] = []
      for case .persist(let batch, let life) in next {
        answers += machine.handle(.persisted(upTo: batch.id, life: life), at: now)
      }
      all += answers
      next = answers
    }
    return all
  }

  private static func events(_ effects: [LogEffect]) -> [Manager::LogEvent] {
    effects.compactMap { if case .tell(.event(let event)) = $0 { event } else { nil } }
  }

  /// The only founder of a cluster, after its election at 1 s.
  private static func leader() throws -> (machine: LogMachine, epoch: Epoch, state: DurableState) {
    var machine = LogMachine(settings, disk: ReplicaID(5))
    let first = machine.handle(.recovered(nil, seed: 1), at: 0)
    let founded = first.compactMap { if case .found(let state) = $0 { state } else { nil } }
    let state = try #require(founded.first)
    _ = feed(&machine, .recovered(state, seed: 1), at: 0)
    let events = events(feed(&machine, .tick, at: 1_000_000))
    guard case .becamePrimary(let epoch)? = events.first else { throw Missing() }
    return (machine, epoch, state)
  }

  private struct Missing: Error {}

  private static func append(_ machine: inout LogMachine, _ index: Int, _ epoch: Epoch) throws -> [LogEffect]
  {
    let octets = try EntryCoding.encode(note(index))
    let appended = Appended(entry: note(index), octets: octets, at: 1_000_000)
    return feed(&machine, .append(appended, epoch), at: 1_000_000)
  }

  @Test("an entry is told when it is durable, and only in the epoch of its primary") func appends() throws {
    var (machine, epoch, _) = try Self.leader()
    let effects = try Self.append(&machine, 1, epoch)
    let told = effects.compactMap { if case .tell(.entry(_, let entry)) = $0 { entry } else { nil } }
    #expect(told == [Self.note(1)])
    let older = try Self.append(&machine, 2, Epoch(0))
    let newer = try Self.append(&machine, 2, Epoch(epoch.round + 1))
    #expect(older.isEmpty && newer.isEmpty)
  }

  @Test("another primary's entry in the middle of a reign: what waits has no ground, all begins again")
  func foreign() throws {
    var (machine, _, state) = try Self.leader()
    let slot = try #require(machine.replica?.status.committed.next)
    machine.apply(slot, .command(try EntryCoding.encode(Self.note(9))))
    #expect(Self.events(machine.effects) == [.lostPrimary(address: nil)])
    #expect(machine.effects.contains { if case .recover = $0 { true } else { false } })
    #expect(!machine.effects.contains { if case .tell(.octets) = $0 { true } else { false } })
    machine.effects = []
    _ = Self.feed(&machine, .recovered(state, seed: 2), at: 1_000_000)
    #expect(machine.condition == .running && machine.reign == nil)
    // Once it is told as chosen, it is told on.
    machine.apply(slot, .command(try EntryCoding.encode(Self.note(9))))
    #expect(machine.effects.contains { if case .tell(.octets(slot, _)) = $0 { true } else { false } })
  }

  @Test("another primary's snapshot in the middle of a reign: all begins again, and it is told after that")
  func foreignSnapshot() throws {
    var (machine, _, state) = try Self.leader()
    let octets = try EntryCoding.encode(ManagerSnapshot(ManagerState()))
    let snapshot = Snapshot(slot: Slot(100), memberships: state.snapshot.memberships, state: octets)
    func isTold(_ effects: [LogEffect]) -> Bool {
      effects.contains { if case .tell(.snapshot) = $0 { true } else { false } }
    }
    machine.install(snapshot)
    #expect(Self.events(machine.effects) == [.lostPrimary(address: nil)] && !isTold(machine.effects))
    machine.effects = []
    _ = Self.feed(&machine, .recovered(state, seed: 2), at: 1_000_000)
    machine.install(snapshot)
    #expect(isTold(machine.effects))
  }

  @Test("what the disk confirms to the replica that was is nothing to the one that is") func lives() throws {
    var machine = LogMachine(Self.settings, disk: ReplicaID(5))
    let state = DurableState(founding: ClusterID(1), replica: ReplicaID(5), founders: [ReplicaID(5)])
    _ = machine.handle(.recovered(state, seed: 1), at: 0)
    let life = machine.life
    _ = machine.handle(.diskFailed(DiskFailure(.full, "full")), at: 0)
    _ = machine.handle(.recovered(state, seed: 1), at: 0)
    // It stands for election; its promise is on its way to the disk.
    var batches = machine.handle(.tick, at: 1_000_000)
    var events: [Manager::LogEvent] = []
    for _ in 0..<5 {
      let late = machine.handle(.persisted(upTo: WriteID(100), life: life), at: 1_000_000)
      #expect(late.isEmpty)
      let ids = batches.compactMap { if case .persist(let batch, _) = $0 { batch.id } else { nil } }
      guard let id = ids.last else { break }
      batches = machine.handle(.persisted(upTo: id, life: machine.life), at: 1_000_000)
      events += Self.events(batches)
    }
    guard case .becamePrimary? = events.first else { throw Missing() }
  }

  @Test("a reader hears from the clock that the lease is over") func lease() throws {
    var (machine, _, _) = try Self.leader()
    #expect(Self.events(machine.handle(.read(1), at: 1_500_000)) == [.readable(1)])
    // Stopped for an hour: no tick has come, the question is the first.
    #expect(Self.events(machine.handle(.read(2), at: 3_600_000_000)) == [])
    let later = machine.handle(.tick, at: 3_602_100_000)
    #expect(Self.events(later).contains(.unreadable(2, address: nil)))
  }

  @Test("a disk that refuses ends the reign, and questions with it") func halted() throws {
    var (machine, epoch, state) = try Self.leader()
    let failure = DiskFailure(.full, "the disk is full; make room")
    let effects = machine.handle(.diskFailed(failure), at: 1_100_000)
    #expect(Self.events(effects) == [.lostPrimary(address: nil)])
    #expect(Self.events(machine.handle(.read(3), at: 1_100_000)) == [.unreadable(3, address: nil)])
    #expect(try Self.append(&machine, 1, epoch).isEmpty)
    let tick = machine.handle(.tick, at: 9_000_000)
    guard case .broadcast(let status)? = tick.first, tick.count == 1 else { Issue.record("\(tick)"); return }
    #expect(status.role == .halted)
    _ = Self.feed(&machine, .recovered(state, seed: 3), at: 9_000_000)
    #expect(machine.condition == .running)
  }

  @Test("entries wait in their order, so many that the replica never refuses one") func line() {
    var line = ProposalLine()
    for index in 0..<1000 {
      line.append(Appended(entry: Self.note(index), octets: [UInt8(index % 251)], at: 0))
    }
    var taken: [UInt8] = []
    while let octets = line.start(as: UInt64(taken.count)) { taken += octets }
    #expect(taken.count == 512 && line.waitingCount == 488)
    // The last was not taken: it comes first again, after a tick.
    line.putBack(511)
    #expect(line.start(as: 600) == nil)
    line.isBlocked = false
    #expect(line.start(as: 601) == [taken[511]])
    #expect(line.land([taken[1]]) == nil)
    for octet in taken { #expect(line.land([octet]) != nil) }
    #expect(line.underWayCount == 0)
    #expect(line.start(as: 602) == [UInt8(512 % 251)])
  }

  @Test("large entries go one by one when they must") func octets() {
    var line = ProposalLine()
    let large = [UInt8](repeating: 1, count: 20 << 20)
    for _ in 0..<2 { line.append(Appended(entry: Self.note(0), octets: large, at: 0)) }
    #expect(line.start(as: 1) != nil && line.start(as: 2) == nil)
    #expect(line.land(large) != nil)
    #expect(line.start(as: 3) != nil)
  }

  @Test("founders are those who agree, whoever they are seen by") func founding() throws {
    let managers = (0..<3).map { ManagerAddress(host: "10.1.\($0).2", port: 4600) }
    func hello(_ index: Int, digest: UInt64 = 1, cluster: ClusterID? = nil) -> PeerHello {
      PeerHello(
        cluster: cluster, replica: ReplicaID(UInt64(10 + index)), node: "n\(index)", address: managers[index],
        managersDigest: digest)
    }
    let all = (0..<3).map { hello($0) }
    let states = (0..<3).map { index in
      Founding.decide(all[index], managers: managers, peers: all.filter { $0 != all[index] })
    }
    #expect(
      Set(states.map { $0?.cluster }).count == 1 && states[0]?.snapshot.memberships[0].voters.count == 3)
    #expect(Founding.decide(all[0], managers: managers, peers: [all[1]]) == nil)
    #expect(Founding.decide(all[0], managers: managers, peers: [all[1], hello(2, digest: 2)]) == nil)
    // One that was not to found joins, one that was founds alike.
    var founded = hello(1, cluster: states[0]?.cluster)
    founded.founders = [ReplicaID(10), ReplicaID(11), ReplicaID(12)]
    #expect(Founding.decide(all[0], managers: managers, peers: [founded]) == states[0])
    founded.founders = []
    let joining = try #require(Founding.decide(all[0], managers: managers, peers: [founded]))
    #expect(joining.snapshot.memberships.isEmpty && joining.cluster == founded.cluster)
  }
}
