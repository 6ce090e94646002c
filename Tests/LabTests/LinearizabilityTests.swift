import Testing

@testable import Lab

/// The checker accepts what one register could have answered, and nothing else.
struct LinearizabilityTests {
  private static func write(
    _ value: UInt64, _ from: UInt64, _ to: UInt64, _ outcome: RegisterOperation.Outcome = .ok
  ) -> RegisterOperation {
    RegisterOperation(
      client: 0, register: 0, kind: .write, value: value, invoked: from, responded: to, outcome: outcome)
  }

  private static func read(_ value: UInt64?, _ from: UInt64, _ to: UInt64) -> RegisterOperation {
    RegisterOperation(client: 1, register: 0, kind: .read, value: value, invoked: from, responded: to)
  }

  static let good: [(String, [RegisterOperation])] = [
    ("nothing at all", []),
    ("nothing was there", [read(nil, 1, 2), write(7, 3, 4), read(7, 5, 6)]),
    ("a read beside a write sees the old", [write(7, 1, 2), write(8, 3, 9), read(7, 4, 5), read(8, 6, 7)]),
    ("a read beside a write sees the new", [write(7, 1, 2), write(8, 3, 9), read(8, 4, 5), read(8, 6, 7)]),
    (
      "writes side by side, seen in either order",
      [write(7, 1, 9), write(8, 2, 8), read(8, 3, 4), read(7, 5, 6)]
    ),
    ("a failed write is never seen", [write(7, 1, 2), write(8, 3, 4, .failed), read(7, 5, 6)]),
    ("an uncertain write never took effect", [write(7, 1, 2), write(8, 3, 4, .uncertain), read(7, 5, 6)]),
    (
      "an uncertain write took effect long after its answer",
      [
        write(7, 1, 2), write(8, 3, 4, .uncertain), read(7, 5, 6), write(9, 7, 8), read(8, 9, 10),
        read(8, 11, 12),
      ]
    ),
    ("at one moment is side by side", [write(7, 1, 2), read(nil, 2, 3)]),
    (
      "what a read did not learn does not count",
      [
        write(7, 1, 2),
        RegisterOperation(
          client: 1, register: 0, kind: .read, value: nil, invoked: 3, responded: 4, outcome: .uncertain),
      ]
    ),
  ]

  @Test(arguments: good) func accepts(history: (name: String, operations: [RegisterOperation])) {
    #expect(LinearizabilityChecker.findings(in: history.operations).map(\.sentence) == [], "\(history.name)")
  }

  static let bad: [(String, [RegisterOperation])] = [
    ("stale read", [write(7, 1, 2), write(8, 3, 4), read(7, 5, 6)]),
    ("stale read of nothing", [write(7, 1, 2), read(nil, 3, 4)]),
    ("lost write", [write(7, 1, 2), write(8, 3, 4), read(8, 5, 6), read(7, 7, 8)]),
    ("reads turn back beside a write", [write(7, 1, 2), write(8, 3, 9), read(8, 4, 5), read(7, 6, 7)]),
    ("resurrected failed write", [write(7, 1, 2), write(8, 3, 4, .failed), read(8, 5, 6)]),
    ("read before it was written", [read(7, 1, 2), write(7, 3, 4)]),
    ("read before it was perhaps written", [read(7, 1, 2), write(7, 3, 4, .uncertain)]),
    ("read of what nobody wrote", [write(7, 1, 2), read(8, 3, 4)]),
    (
      "an uncertain write that took effect twice",
      [
        write(8, 1, 2, .uncertain), read(8, 3, 4), write(9, 5, 6), read(9, 7, 8), read(8, 9, 10),
      ]
    ),
    ("a number written twice", [write(7, 1, 2), write(7, 3, 4)]),
  ]

  @Test(arguments: bad) func refuses(history: (name: String, operations: [RegisterOperation])) {
    let findings = LinearizabilityChecker.findings(in: history.operations)
    #expect(findings.count == 1, "\(history.name)")
    #expect(findings.first?.around.isEmpty == false)
  }

  @Test func registersAreJudgedOneByOne() {
    var other = [Self.write(8, 3, 4), Self.read(nil, 5, 6)]
    for index in other.indices { other[index].register = 4 }
    let findings = LinearizabilityChecker.findings(in: [Self.write(7, 1, 2), Self.read(7, 3, 4)] + other)
    #expect(findings.map(\.register) == [4])
    #expect(findings.first?.around == other)
  }

  /// Trying all orders judges; histories that no register made are among them, and most are wrong.
  @Test(arguments: UInt64(1)...40) func agreesWithTryingAllOrders(seed: UInt64) {
    var chance = SeededGenerator(seed: seed)
    var accepted = 0
    for _ in 0..<250 {
      let history = Self.anything(&chance)
      let isRight = Self.isExplained(history.filter { $0.outcome != .failed }, holding: nil)
      accepted += isRight ? 1 : 0
      #expect(LinearizabilityChecker.findings(in: history).isEmpty == isRight, "seed \(seed): \(history)")
    }
    #expect((5...245).contains(accepted), "histories of one sort only test nothing")
  }

  private static func anything(_ chance: inout SeededGenerator) -> [RegisterOperation] {
    let writes = Int.random(in: 1...4, using: &chance)
    var history: [RegisterOperation] = []
    for number in 1...UInt64(writes) {
      let from = UInt64.random(in: 0...12, using: &chance)
      let outcome =
        [.ok, .ok, .ok, .uncertain, .failed][Int.random(in: 0..<5, using: &chance)]
        as RegisterOperation.Outcome
      history.append(write(number, from, from + .random(in: 1...6, using: &chance), outcome))
    }
    for _ in 0..<Int.random(in: 1...3, using: &chance) {
      let from = UInt64.random(in: 2...16, using: &chance)
      let number = UInt64.random(in: 0...UInt64(writes), using: &chance)
      history.append(read(number == 0 ? nil : number, from, from + .random(in: 1...4, using: &chance)))
    }
    return history
  }

  /// Whether some order explains the rest of a history, tried one by one from the definition.
  private static func isExplained(_ rest: [RegisterOperation], holding value: UInt64?) -> Bool {
    if rest.allSatisfy({ $0.outcome == .uncertain }) { return true }
    return rest.indices.contains { index in
      let candidate = rest[index]
      let isFirst = rest.allSatisfy { $0.outcome == .uncertain || $0.responded >= candidate.invoked }
      guard isFirst, candidate.kind == .write || candidate.value == value else { return false }
      var others = rest
      others.remove(at: index)
      return isExplained(others, holding: candidate.kind == .write ? candidate.value : value)
    }
  }

  @Test func judgesLongHistoriesInSeconds() {
    var chance = SeededGenerator(seed: 11)
    let history = Self.honest(count: 60_000, clients: 12, registers: 4, &chance)
    let began = ContinuousClock.now
    #expect(LinearizabilityChecker.findings(in: history).map(\.sentence) == [])
    // A bound against an exponential search, not a measurement.
    #expect(ContinuousClock.now - began < .seconds(60))
  }

  /// One answer of an honest history is replaced by what the register held ten of its writes before.
  @Test(arguments: UInt64(1)...5) func findsOneStaleReadInALongHistory(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    var history = Self.honest(count: 20_000, clients: 8, registers: 2, &chance)
    let reads = history.indices.filter { history[$0].kind == .read && history[$0].invoked > 50_000 }
    let place = try #require(reads.randomElement(using: &chance))
    let before = history.filter {
      $0.kind == .write && $0.outcome == .ok && $0.register == history[place].register
        && $0.responded < history[place].invoked
    }
    history[place].value = before.sorted { $0.responded < $1.responded }.dropLast(20).last?.value
    let findings = LinearizabilityChecker.findings(in: history)
    #expect(findings.map(\.register) == [history[place].register])
  }

  /// What clients would see of atomic registers, with answers lost now and then.
  private static func honest(
    count: Int, clients: Int, registers: Int, _ chance: inout SeededGenerator
  ) -> [RegisterOperation] {
    var free = Array(repeating: UInt64(0), count: clients)
    var plans: [(moment: UInt64, operation: RegisterOperation)] = []
    for number in 0..<count {
      let client = number % clients
      let invoked = free[client] + .random(in: 1...20, using: &chance)
      let moment = invoked + .random(in: 1...40, using: &chance)
      let responded = moment + .random(in: 1...40, using: &chance)
      free[client] = responded
      let isWrite = Bool.random(using: &chance)
      let outcome: RegisterOperation.Outcome =
        isWrite && Int.random(in: 0..<30, using: &chance) == 0 ? .uncertain : .ok
      // Some of the uncertain take effect late, some never.
      let effect = outcome == .ok ? moment : moment + .random(in: 0...2_000, using: &chance)
      plans.append(
        (
          effect,
          RegisterOperation(
            client: client, register: .random(in: 0..<registers, using: &chance),
            kind: isWrite ? .write : .read, value: isWrite ? UInt64(number + 1) : nil, invoked: invoked,
            responded: responded, outcome: outcome)
        ))
    }
    var values: [Int: UInt64] = [:]
    var history: [RegisterOperation] = []
    for (_, operation) in plans.sorted(by: { $0.moment < $1.moment }) {
      var operation = operation
      if operation.kind == .read { operation.value = values[operation.register] }
      let isLost = operation.outcome == .uncertain && operation.client % 2 == 0
      if operation.kind == .write, !isLost { values[operation.register] = operation.value }
      history.append(operation)
    }
    return history
  }
}
