import Control
import Manager
import SEDA
import Synchronization
import Testing
import Wire

@testable import Management

@Suite("A manager with too much to do", .timeLimit(.minutes(10))) struct OverloadTests {
  @Test("ten thousand changes at once are all answered: done, or told when to come again") func flood()
    async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    let (done, shed) = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<10_000 {
        group.addTask {
          do throws(ManagementError) {
            return try await replica.perform(Bench.network(index), dryRun: false, by: .anonymous).errors
              .isEmpty
          } catch {
            guard case .overloaded(_, let milliseconds) = error else {
              Issue.record("\(error)")
              return false
            }
            #expect((10...30_000).contains(milliseconds))
            return false
          }
        }
      }
      var counts = (done: 0, shed: 0)
      for await isDone in group { if isDone { counts.done += 1 } else { counts.shed += 1 } }
      return counts
    }
    #expect(done + shed == 10_000 && done >= 256)
    #expect(try await replica.state().networks.count == done)
    await replica.stop()
  }

  @Test("one operator with many requests does not use up another's room") func fairness() async throws {
    let log = MemoryLog()
    let (replica, pool) = Bench.replica(log)
    _ = await eventually { log.entries.count > 0 }
    // All workers are busy, so that requests gather.
    let gate = Gate()
    for number in 0..<4 {
      let key = StageKey.request(UInt64(1_000_000 + number))
      _ = pool.offer(key, to: .routeManagement, .high, expire: {}) { gate.pass() }
    }
    let greedy = Identity.operator("greedy", .admin)
    async let many = withTaskGroup(of: Bool.self) { group in
      for index in 0..<100 {
        group.addTask { (try? await replica.perform(Bench.network(index), dryRun: false, by: greedy)) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(await eventually { pool.metrics(of: .vipValidation).shed == 68 })
    async let one = replica.perform(Bench.network(200), dryRun: false, by: .operator("modest", .admin))
    #expect(await eventually { pool.metrics(of: .vipValidation).length == 33 })
    gate.open()
    #expect(try await one.errors.isEmpty)
    #expect(await many == 32)
    await replica.stop()
  }

  @Test("low-priority work at ten times capacity: a change waits for a few works, not for the queue")
  func lowPriority() async throws {
    let log = MemoryLog()
    let (replica, pool) = Bench.replica(log)
    _ = await eventually { log.entries.count > 0 }
    let before = pool.mostOvertaken(.vipValidation, .normal)
    let isOver = Mutex(false)
    // Each work that is done offers ten more, so that the queue is full all the time.
    let source = LowWork(pool: pool, isOver: { isOver.withLock { $0 } })
    for _ in 0..<100 { source.offer() }
    #expect(await eventually { pool.metrics(of: .hostAgentManagement)[.low].length > 4000 })
    for index in 0..<50 {
      let outcome = try await replica.perform(Bench.network(index), dryRun: false, by: .anonymous)
      #expect(outcome.errors.isEmpty)
    }
    let waiting = pool.metrics(of: .hostAgentManagement)[.low]
    #expect(waiting.length > 4000 && waiting.shed > waiting.finished)
    // Low work may hold one of the four workers, and gets 2 % of the dispatches: at most one such work goes before a
    // change, and one for each other rank.
    #expect(before <= 6 && pool.mostOvertaken(.vipValidation, .normal) <= 6)
    #expect(pool.mostOvertaken(.vipConfiguration, .high) <= 6)
    #expect(waiting.finished > 0)
    isOver.withLock { $0 = true }
    await replica.stop()
  }

  @Test("works that wait too long are answered, also while nobody comes") func expiry() async {
    let pool = StagePool(workers: 2)
    let gate = Gate()
    for number in 0..<2 {
      _ = pool.offer(.request(UInt64(number)), to: .routeManagement, .high, expire: {}) { gate.pass() }
    }
    let answers = Mutex((run: 0, expired: 0))
    for number in 10..<20 {
      _ = pool.offer(
        .request(UInt64(number)), to: .snatManagement, .high,
        expire: { answers.withLock { $0.expired += 1 } }, run: { answers.withLock { $0.run += 1 } })
    }
    // Three seconds are what a SNAT request may wait.
    try? await Task.sleep(for: .milliseconds(3200))
    gate.open()
    #expect(await eventually { answers.withLock { $0.expired } == 10 })
    #expect(answers.withLock { $0.run } == 0)
    pool.stop()
  }

  @Test("VMs of one host that ask at once do not wait for one another; a flood is told when to come again")
  func portRequests() async throws {
    let log = MemoryLog()
    let (replica, pool) = Bench.replica(log)
    _ = await eventually { log.entries.count > 0 }
    _ = try await replica.perform(.apply([Bench.host(1)]), dryRun: false, by: .anonymous)
    let session = try await replica.attach(Bench.hello("host1", roles: [.host]))
    var refusals = session.refusals.makeAsyncIterator()
    // All workers are busy, so that requests meet.
    for (count, reason) in [(2, PortRefusal.Reason.noService), (1_100, .overloaded)] {
      let gate = Gate()
      for number in 0..<4 {
        let key = StageKey.request(UInt64(2_000_000 + number))
        _ = pool.offer(key, to: .routeManagement, .high, expire: {}) { gate.pass() }
      }
      for number in 0..<count {
        let locator = IPv4Address(10, 64, UInt8(1 + number / 256), UInt8(number % 256))
        await replica.report(.portRequest(PortRequest(locator: locator)), from: session.id)
      }
      // Until then nobody but the overflow is answered.
      if reason == .noService { gate.open() }
      for _ in 0..<2 {
        let refusal = await refusals.next()
        #expect(refusal?.reason == reason)
        #expect((10...30_000).contains(refusal?.retryAfterMilliseconds ?? 0))
      }
      gate.open()
    }
    await replica.stop()
  }

  @Test("a pool that ends does what it has taken, and takes nothing more") func ends() async {
    let pool = StagePool(workers: 2)
    let done = Mutex(0)
    var admitted = 0
    for number in 0..<200 {
      let admission = pool.offer(.request(UInt64(number)), to: .routeManagement, .low, expire: {}) {
        done.withLock { $0 += 1 }
      }
      if case .admitted = admission { admitted += 1 }
    }
    pool.stop()
    let late = pool.offer(.manager, to: .routeManagement, .high, expire: {}) { done.withLock { $0 += 1000 } }
    guard case .shed = late else {
      Issue.record("work was taken after the end")
      return
    }
    let expected = admitted
    #expect(await eventually { done.withLock { $0 } == expected })
    #expect(expected == 200)
  }

  @Test("reports are taken in their order, and counters say what the stages did") func reports() async throws
  {
    let replica = await Bench.primary()
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    let session = try await replica.attach(Bench.hello("mux1"))
    for index in 0..<100 {
      let counter = Counter(name: "c", labels: [:], value: UInt64(index))
      await replica.report(
        .statistics(NodeStatistics(bgp: [], counters: [counter], problems: [])), from: session.id)
    }
    #expect(await eventually { (try? await replica.state().nodes.first?.statistics) != nil })
    let names = Set(replica.counters().map(\.name))
    #expect(names.isSuperset(of: ["ananta_stage_admitted_total", "ananta_log_syncs_total"]))
    let finished = replica.counters().first {
      $0.name == "ananta_stage_finished_total"
        && $0.labels == ["priority": "normal", "stage": "vip-validation"]
    }
    #expect(finished?.value == 1)
    await replica.stop()
  }
}

/// Holds workers until it is opened.
private final class Gate: Sendable {
  private let isOpen = Mutex(false)
  func open() { isOpen.withLock { $0 = true } }
  func pass() { while !isOpen.withLock({ $0 }) { pause() } }
}

/// Low-priority work that multiplies.
private struct LowWork: Sendable {
  let pool: StagePool
  let isOver: @Sendable () -> Bool
  private let number = Numbers()

  init(pool: StagePool, isOver: @escaping @Sendable () -> Bool) {
    self.pool = pool
    self.isOver = isOver
  }

  func offer() {
    _ = pool.offer(.request(number.next()), to: .hostAgentManagement, .low, expire: {}) {
      guard !isOver() else { return }
      for _ in 0..<100 { offer() }
      pause()
    }
  }
}

private final class Numbers: Sendable {
  private let last = Mutex<UInt64>(1 << 32)
  func next() -> UInt64 {
    last.withLock { last in
      last += 1
      return last
    }
  }
}
