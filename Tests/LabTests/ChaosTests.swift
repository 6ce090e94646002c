import Control
import Foundation
import Synchronization
import Testing
import Wire

@testable import Lab

/// Chaos without managers: what is planned, what is cut, and what clients note.
struct ChaosTests {
  @Test func equalSeedsGiveEqualPlans() {
    let plan = ChaosPlan(seed: 7, rounds: 200, managers: 5)
    let same = ChaosPlan(seed: 7, rounds: 200, managers: 5)
    #expect(plan == same)
    #expect(plan.rounds != ChaosPlan(seed: 8, rounds: 200, managers: 5).rounds)
    // The first rounds of a long plan are those of a short one.
    #expect(Array(plan.rounds.prefix(20)) == ChaosPlan(seed: 7, rounds: 20, managers: 5).rounds)
  }

  @Test func everySortOfFaultComesInAThousandRounds() {
    let rounds = ChaosPlan(seed: 1, rounds: 1_000, managers: 5).rounds
    let names = Set(rounds.flatMap(\.events).map(\.fault.name))
    let sorts: Set<String> = [
      "kill leader", "kill 1", "kill 2", "stop leader", "stop 2", "leader cut off", "leader cut off one way",
      "partition", "one-way partition",
    ]
    #expect(names == sorts)
    #expect(rounds.contains { $0.events.count > 1 })
    let times = rounds.map { round in (round.acts.last?.at ?? 0) + round.rest }
    let mean = times.reduce(0, +) / times.count
    #expect((800...1_600).contains(mean), "a round should take about 1.5 s with all that is done in it")
    let killsOfLeaders = rounds.count { $0.events.map(\.fault) == [.kill([.leader])] }
    #expect(killsOfLeaders > 200)
  }

  @Test func whatBeginsEnds() {
    for round in ChaosPlan(seed: 3, rounds: 300, managers: 5).rounds {
      #expect(round.acts.count == 2 * round.events.count)
      #expect(round.acts.map(\.at) == round.acts.map(\.at).sorted())
      for index in round.events.indices {
        #expect(round.acts.filter { $0.event == index }.map(\.isEnd) == [false, true])
      }
    }
  }

  static let cuts: [(ChaosFault.Cut, [String])] = [
    (.alone(.leader), ["2>0134", "0134>2"]), (.alone(.manager(0)), ["0>1234", "1234>0"]),
    (.gone(.leader), ["2>0134", "0134>2"]), (.deaf(.leader), ["0134>2"]), (.mute(.manager(4)), ["4>0123"]),
    (.split([0, 3]), ["03>124", "124>03"]), (.oneWay([1, 2]), ["12>034"]),
  ]

  @Test(arguments: cuts) func whoIsNotHeard(cut: ChaosFault.Cut, silences: [String]) {
    func text(_ places: Set<Int>) -> String { places.sorted().map(String.init).joined() }
    let found = ChaosFault.silences(of: cut, managers: 5, leader: 2).map { "\(text($0.from))>\(text($0.to))" }
    #expect(found == silences)
  }

  /// Two namespaces' worth of rules, judged by nft itself.
  @Test(.enabled(if: LabBench.isRoot, "needs root"), arguments: [0, 1, 3]) func rulesAreRules(count: Int)
    async throws
  {
    let sources = (0..<count).map { IPv4Address(10, 1, UInt8($0), 2) }
    for rules in [NetworkCut.deafness(to: sources), NetworkCut.totalDeafness] {
      let result = try await ExternalCommand(["nft", "--check", "-f", "-"], input: rules).run()
      #expect(result.succeeded, "\(result.errors)")
      #expect(NetworkCut.deafness(to: sources).contains("tcp dport 4600") == (count > 0))
    }
  }

  // MARK: Who leads

  private static func sighting(
    _ node: String, _ at: UInt64, _ role: ManagerStatus.Role, _ round: UInt64
  ) -> ManagerSighting {
    ManagerSighting(
      at: at,
      status: ManagerStatus(
        node: node, address: ManagerAddress(host: "10.1.1.2", port: 4600), replica: 1, role: role,
        isVoter: true, ballot: Epoch(round, replica: 1), committed: 1, snapshot: 0, seconds: 0,
        silentMilliseconds: 0))
  }

  @Test func theLeaderIsTheOneOfTheHighestBallot() {
    let seen = [
      Self.sighting("a", 10, .leader, 3), Self.sighting("b", 20, .leader, 4),
      Self.sighting("a", 30, .leader, 3),
      Self.sighting("c", 40, .leader, 5), Self.sighting("c", 50, .follower, 6),
    ]
    #expect(seen.leader(since: 0) == "b")
    #expect(seen.leader(since: 25) == "a")
    #expect(seen.leader(since: 45) == nil)
    #expect(seen.sharedBallots == [])
    #expect((seen + [Self.sighting("b", 60, .leader, 5)]).sharedBallots == [Epoch(5, replica: 1)])
  }

  // MARK: Clients

  /// One register file for all, honest or with answers that are a while old.
  private final class Memory: RegisterStore {
    private let values = Mutex<[[Int: UInt64]]>([[:]])
    let age: Int

    init(age: Int) { self.age = age }

    func write(_ value: UInt64, to register: Int) async -> RegisterReply {
      values.withLock { past in
        past.append((past.last ?? [:]).merging([register: value]) { $1 })
      }
      return RegisterReply(.ok)
    }

    func read() async -> RegisterReply {
      RegisterReply(.ok, values: values.withLock { $0.dropLast(age).last ?? [:] })
    }
  }

  @Test(arguments: [(0, true), (12, false)]) func clientsNoteWhatTheySee(age: Int, isRight: Bool) async throws
  {
    let file = "/tmp/lab-history-\(UInt32.random(in: 0...UInt32.max)).jsonl"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let log = try JSONLines(appendingTo: file)
    let store = Memory(age: age)
    let tasks = (0..<4).map { number in
      Task { try await RegisterClient(number: number, registers: 2, store: store, history: log).run() }
    }
    let isEnough = await Patience.wait(upTo: 60_000) {
      let history = (try? JSONLines.read(RegisterOperation.self, from: file)) ?? []
      return history.count { $0.kind == .write } > 40 && history.count { $0.kind == .read } > 40
    }
    for task in tasks { task.cancel() }
    for task in tasks { try await task.value }
    #expect(isEnough)
    let history = try JSONLines.read(RegisterOperation.self, from: file)
    #expect(LinearizabilityChecker.findings(in: history).isEmpty == isRight)
  }

  @Test func tailsBeginAndEndWithWholeLines() throws {
    let file = "/tmp/lab-lines-\(UInt32.random(in: 0...UInt32.max)).jsonl"
    defer { try? FileManager.default.removeItem(atPath: file) }
    try JSONLines(appendingTo: file).append(Array(1_000...1_020))
    try JSONLines(appendingTo: file).append(7)
    let written = Array(1_000...1_020) + [7]
    #expect(try JSONLines.read(Int.self, from: file) == written)
    #expect(try JSONLines.read(Int.self, from: file, tail: 12) == [1_020, 7])
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("12".utf8))
    #expect(try JSONLines.read(Int.self, from: file, tail: 9) == [7])
  }

  // MARK: The report

  static let quantiles: [([Double], String)] = [
    ([], "none"), ([5], "p50 5.0 ms, p99 5.0 ms, max 5.0 ms of 1"),
    (Array(stride(from: 100, through: 1, by: -1)), "p50 50.0 ms, p99 99.0 ms, max 100.0 ms of 100"),
  ]

  @Test(arguments: quantiles) func quantilesAreThoseOfAll(times: [Double], text: String) {
    #expect(Distribution(milliseconds: times).text == text)
  }

  @Test func recoveryIsFromTheKillToTheFirstWriteBegunAfterIt() {
    func write(_ from: UInt64, _ to: UInt64, _ outcome: RegisterOperation.Outcome = .ok) -> RegisterOperation
    {
      RegisterOperation(
        client: 0, register: 0, kind: .write, value: from, invoked: from * 1_000_000,
        responded: to * 1_000_000, outcome: outcome)
    }
    var report = ChaosReport(seed: 1, rounds: 1)
    let kill = ChaosField.LeaderKill(at: 100_000_000, isSolitary: true)
    report.count(
      [write(90, 110), write(101, 120, .failed), write(105, 900), write(300, 400)], registers: 1,
      kills: [kill])
    #expect(report.recovery.milliseconds == [300])
    #expect(report.writes == 3)
    #expect(report.failed == 1)
    #expect(report.uncertain == 0)
  }

  @Test(arguments: [(10, 10, true), (9, 10, false), (10, 9, false), (0, 0, false)])
  func whoSawLittleJudgesNothing(writes: Int, reads: Int, passes: Bool) {
    var report = ChaosReport(seed: 1, rounds: 10)
    report.writes = writes
    report.reads = reads
    report.judgeWork()
    #expect(report.passed == passes)
  }
}
