import Control
import Foundation
import Logging
import Management
import Manager
import Storage
import Testing
import Wire

@Suite("A manager on a journal", .timeLimit(.minutes(1))) struct DurableManagerTests {
  @Test("100 operators at once: all is there after a new start") func concurrent() async throws {
    let fixture = try JournalFixture()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let journal = try Journal(path: fixture.path)
    let replica = try await ManagerReplica(log: journal, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<100 {
        group.addTask {
          let network = VirtualNetwork(
            name: "net-\(index)", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
          let outcome = try await replica.perform(.apply([.virtualNetwork(network)]), dryRun: false)
          #expect(outcome.changes.map(\.action) == [.created])
        }
      }
      try await group.waitForAll()
    }
    let before = await replica.state()
    await replica.stop()
    try journal.close()

    let reopened = try Journal(path: fixture.path)
    let second = try await ManagerReplica(log: reopened, logger: logger)
    let after = await second.state()
    #expect(after.networks.count == 100)
    #expect(after.networks == before.networks)
    await second.stop()
  }
}
