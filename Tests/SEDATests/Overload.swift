import SEDA

/// Configuration changes beside low-priority work at a multiple of what the pool can do, in simulated time.
struct Overload {
  struct Outcome: Equatable {
    /// From admission to the end, of the changes, sorted, microseconds.
    var latencies: [UInt64] = []
    var changesLost = 0
    var lowFinished = 0
    var lowShed = 0
    var lowExpired = 0

    var median: UInt64 { latencies.isEmpty ? .max : latencies[latencies.count / 2] }
    var p99: UInt64 { latencies.isEmpty ? .max : latencies[latencies.count * 99 / 100] }
  }

  /// Where a work goes: the product's way by its kind, or the variant's into one queue.
  typealias Route = @Sendable (_ isChange: Bool, _ number: Int) -> (Stage, Priority, Int)

  static let byKind: Route = { isChange, number in
    isChange ? (.vipConfiguration, .normal, number % 16) : (.snatManagement, .high, number)
  }
  /// First in, first out: one queue, one key, one rank.
  static let oneQueue: Route = { _, _ in (.snatManagement, .high, 0) }

  var policy: SchedulerPolicy
  var route: Route = byKind
  /// Low-priority work, as a multiple of what all workers could do.
  var multiple: UInt64
  /// Service time of low-priority work; a change takes 5 to 15 ms.
  var lowService: ClosedRange<UInt64>
  var seed: UInt64

  static let horizon: UInt64 = 2_000_000
  static let changeService: ClosedRange<UInt64> = 5_000...15_000

  func run() -> Outcome {
    var driver = DeterministicDriver<Int, Bool>(policy: policy, seed: seed) { stage in
      stage == .vipConfiguration ? Self.changeService : lowService
    }
    var numbers = SeededNumbers(seed: seed &+ 1)
    var outcome = Outcome()
    for (at, isChange, number) in arrivals(&numbers) {
      note(driver.advance(to: at), &outcome)
      let (stage, priority, key) = route(isChange, number)
      if case .shed = driver.submit(isChange, of: key, to: stage, priority) {
        if isChange { outcome.changesLost += 1 } else { outcome.lowShed += 1 }
      }
    }
    while let moment = driver.nextMoment { note(driver.advance(to: moment), &outcome) }
    note(driver.advance(to: driver.now), &outcome)
    outcome.latencies.sort()
    return outcome
  }

  private func note(_ events: [DriverEvent<Int, Bool>], _ outcome: inout Outcome) {
    for event in events {
      switch (event.step, event.work.payload) {
      case (.started, _): break
      case (.finished, true): outcome.latencies.append(event.at - event.work.admittedAt)
      case (.finished, false): outcome.lowFinished += 1
      case (.expired, true): outcome.changesLost += 1
      case (.expired, false): outcome.lowExpired += 1
      }
    }
  }

  private func arrivals(_ numbers: inout SeededNumbers) -> [(UInt64, Bool, Int)] {
    var all: [(UInt64, Bool, Int)] = []
    var at: UInt64 = 0
    while at < Self.horizon {
      at += numbers.next(in: 10_000...40_000)
      all.append((at, true, all.count))
    }
    guard multiple > 0 else { return all }
    let meanService = (lowService.lowerBound + lowService.upperBound) / 2
    let gap = meanService / (UInt64(policy.workers) * multiple)
    at = 0
    while at < Self.horizon {
      at += numbers.next(in: 0...(2 * gap))
      all.append((at, false, all.count))
    }
    return all.sorted { ($0.0, $0.2) < ($1.0, $1.2) }
  }
}
