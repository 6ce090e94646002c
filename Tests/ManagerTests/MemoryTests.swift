import Control
import Foundation
import Manager
import Testing

@Suite("A manager's memory") struct MemoryTests {
  private static let author = Author(name: "alice", at: 1_000)

  private static func networks(_ names: some Sequence<Int>) -> Control.Operation {
    .apply(
      names.map { .virtualNetwork(VirtualNetwork(name: "v\($0)", prefixes: [prefix("10.0.0.0/24")])) })
  }

  /// MiB of this process that are in memory.
  private static func resident() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return try #require(Int(fields[1])) / 256
  }

  @Test("a change under way takes room for itself, not for the data centre it was judged on") func underWay()
    throws
  {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    for start in stride(from: 0, to: 40_000, by: 10_000) {
      let operation = Self.networks(start..<start + 10_000)
      _ = manager.handle(
        .request(RequestID(UInt64(start)), operation, dryRun: false, by: Self.author))
    }
    let before = try Self.resident()
    for index in 0..<200 {
      let (id, operation) = (RequestID(UInt64(100_000 + index)), Self.networks([index + 50_000]))
      let outputs = manager.handle(.request(id, operation, dryRun: false, by: Self.author))
      guard case .append? = outputs.first else {
        Issue.record("\(String(describing: outputs.first))")
        return
      }
    }
    let growth = try Self.resident() - before
    #expect(growth < 200)
  }
}
