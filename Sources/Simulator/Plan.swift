import Paxos

/// What is settled about a life before it begins.
struct Plan: Sendable {
  let workload: Workload
  let founders: Int
  let clients: Int
  let tuning: Tuning
  /// The bound of all clocks' drift, parts per thousand.
  let clockBound: Int
  /// When nothing goes wrong any more.
  let troubleEnds: Moment
  /// Between two troubles.
  let pace: ClosedRange<Moment>
  /// Between a replica's ticks.
  let tick: Moment
  /// Between two requests of one client.
  let thinking: ClosedRange<Moment>
  /// How often, per thousand, an agent looks for another primary though it has one.
  let wandering: Int
  /// How long a write takes, usually.
  let writing: ClosedRange<Moment>

  /// Who votes at first.
  var founderIDs: [ReplicaID] { (1...founders).map { ReplicaID(UInt64($0)) } }

  /// Draws one.
  init(_ chance: inout Chance) {
    workload = Workload(&chance)
    founders = chance.happens(perThousand: 600) ? 3 : 5
    wandering = 20
    clients = chance.number(2...4)
    clockBound = chance.happens(perThousand: 500) ? 10 : 100
    // Most lives are short, since they find as much in less time; in some a disk may stand still for minutes, and thaw.
    let isLong = chance.happens(perThousand: 60)
    troubleEnds = .milliseconds(isLong ? chance.number(130_000...200_000) : chance.number(12_000...40_000))
    let mean = isLong ? chance.number(2_000...6_000) : chance.number(150...1_500)
    pace = .milliseconds(mean / 4)...(.milliseconds(mean * 2))
    thinking = .milliseconds(5)...(.milliseconds(isLong ? 2_500 : 700))
    writing = 300...(chance.happens(perThousand: 300) ? 20_000 : 3_000)
    var tuning = Tuning()
    tuning.drift = UInt64(clockBound)
    tuning.heartbeat = UInt64(chance.number(2...4) * 50)
    tuning.retry = tuning.heartbeat + 50
    tuning.snapshotEntries = chance.number(6...60)
    tick = .milliseconds(Int(tuning.heartbeat) / 2)
    self.tuning = tuning
  }

  /// One in which nothing happens by itself: whoever asks for it makes things go wrong.
  init(founders: Int, workload: Workload) {
    self.founders = founders
    self.workload = workload
    clients = 0
    wandering = 0
    tuning = Tuning()
    clockBound = 10
    troubleEnds = .max
    pace = .milliseconds(1_000)...(.milliseconds(1_000))
    tick = .milliseconds(50)
    thinking = .milliseconds(100)...(.milliseconds(1_000))
    writing = 300...3_000
  }

  /// Whether a disk may stand still for minutes in this life.
  var isLong: Bool { troubleEnds > .seconds(100) }
}
