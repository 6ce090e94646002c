import Control
import Dispatch
import Lab
import Synchronization
import Transport
import Wire

/// Requests of low priority at a given rate, or as many as so many clients can send.
struct OperatorFlood: Sendable {
  /// What all clients share.
  private final class Tally: Sendable {
    let report = Mutex(FloodReport())
    private let tickets = Mutex(0)

    /// The next request's number.
    func ticket() -> Int {
      tickets.withLock { next in
        defer { next += 1 }
        return next
      }
    }
  }

  let seconds: Int
  let clients: Int
  let perSecond: Int
  let resources: Int

  /// Sends them; each client has a connection of its own.
  func run(_ connect: () -> ManagementClient) async -> FloodReport {
    let tally = Tally()
    let operation = Operation.apply((0..<resources).map(Self.resource))
    let began = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<clients {
        let client = connect()
        group.addTask {
          await work(client, operation, isDryRun: index.isMultiple(of: 2), from: began, tally)
        }
      }
    }
    let elapsed = (ContinuousClock.now - began).components
    return tally.report.withLock { report in
      report.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
      return report
    }
  }

  private func work(
    _ client: ManagementClient, _ operation: Control.Operation, isDryRun: Bool,
    from began: ContinuousClock.Instant, _ tally: Tally
  ) async {
    let end = began + .seconds(seconds)
    while ContinuousClock.now < end {
      if perSecond > 0 {
        let turn = began + .nanoseconds(Int64(tally.ticket()) * 1_000_000_000 / Int64(perSecond))
        guard turn < end else { return }
        try? await Task.sleep(until: turn)
      }
      await Self.ask(client, operation, isDryRun: isDryRun, tally)
    }
  }

  private static func resource(_ number: Int) -> Resource {
    let address = IPv4Address(number: IPv4Address(10, 128, 0, 0).number + UInt32(number))
    return .virtualNetwork(
      VirtualNetwork(name: "flood-\(number)", prefixes: [IPv4Prefix(address, length: 32)]))
  }

  private static func ask(
    _ client: ManagementClient, _ operation: Control.Operation, isDryRun: Bool, _ tally: Tally
  ) async {
    tally.report.withLock { $0.offered += 1 }
    do throws(ManagementClientError) {
      if isDryRun {
        _ = try await client.perform(operation, dryRun: true)
      } else {
        _ = try await client.state()
      }
      tally.report.withLock { $0.answered += 1 }
    } catch {
      if case .manager(.overloaded) = error {
        tally.report.withLock { $0.shed += 1 }
      } else {
        let reason = "\(error)"
        tally.report.withLock { report in
          report.failed += 1
          if report.reason.isEmpty { report.reason = reason }
        }
      }
    }
  }
}
