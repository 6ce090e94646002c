import Control
import Foundation
import Logging
import Manager
import Wire

@testable import Management

/// What the tests of a running manager share.
enum Bench {
  static func replica(_ log: MemoryLog, workers: Int = 4) -> (ManagerReplica, StagePool) {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let pool = StagePool(workers: workers)
    return (ManagerReplica(log: log, logger: logger, pool: pool), pool)
  }

  /// A manager that leads, and has begun its epoch.
  static func primary(_ log: MemoryLog = MemoryLog()) async -> ManagerReplica {
    let (replica, _) = replica(log)
    _ = await eventually { log.entries.count > 0 }
    return replica
  }

  static func network(_ index: Int) -> Control.Operation {
    .apply([.virtualNetwork(virtualNetwork(index))])
  }

  static func virtualNetwork(_ index: Int) -> VirtualNetwork {
    VirtualNetwork(name: "v\(index)", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
  }

  static func mux(_ index: UInt8) -> Resource {
    .node(Node(name: "mux\(index)", address: IPv4Address(10, 1, index, 2), roles: [.mux]))
  }

  static func hello(_ name: String, _ epoch: UInt64 = 0, _ revision: UInt64 = 0) -> Hello {
    Hello(node: name, roles: [.mux], epoch: Epoch(epoch), revision: Revision(revision))
  }
}

/// Waits until something is so, at most half a minute.
func eventually(_ isSo: @Sendable () async -> Bool) async -> Bool {
  for _ in 0..<3000 {
    if await isSo() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return await isSo()
}

/// Lets a thread that is not Swift's wait a little.
func pause() { Thread.sleep(forTimeInterval: 0.002) }

extension AgentSession {
  /// What the agent is sent but refusals.
  var updates: AsyncCompactMapSequence<AsyncStream<ManagerMessage>, Update> {
    messages.compactMap { if case .update(let update) = $0 { update } else { nil } }
  }
}
