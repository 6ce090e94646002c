import Control
import Foundation
import Logging
import Testing
import Transport
import Wire

@testable import ananta_agent

@Suite struct NodeStateFileTests {
  private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A directory of its own, removed afterwards.
  private func withDirectory(_ work: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "ananta-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try work(url.path)
  }

  private func journal(_ directory: String) -> URL {
    URL(filePath: directory).appending(path: "node-state.journal")
  }

  /// Writes some history and returns what it leads to, after each step.
  private func write(_ steps: Int, seed: UInt64, to directory: String) -> [KeptState] {
    var script = PortScript(seed: seed)
    var file = NodeStateFile(directory: directory, logger: silent)
    var kept = KeptState()
    var all = [kept]
    file.save(kept)
    for _ in 0..<steps {
      if script.pick(4) == 0 {
        let news = kept.giveBack([script.lease()])
        guard !news.isEmpty else { continue }
        file.append(.portsReturned(news), leadingTo: kept, isDurable: true)
      } else {
        let update = script.update()
        _ = kept.apply(update)
        file.append(.update(update), leadingTo: kept, isDurable: !update.mayBeForgotten)
      }
      all.append(kept)
    }
    #expect(file.fault == nil)
    return all
  }

  @Test(arguments: UInt64(0)..<10) func whatWasKeptIsReadAgain(seed: UInt64) throws {
    try withDirectory { directory in
      let all = write(200, seed: seed, to: directory)
      var file = NodeStateFile(directory: directory, logger: silent)
      #expect(file.load() == all.last)
      // And goes on.
      var script = PortScript(seed: seed + 1000)
      var kept = try #require(all.last)
      let update = Update(
        epoch: Epoch(2), revision: kept.state.revision, isSnapshot: false, commands: [script.command()])
      _ = kept.apply(update)
      file.append(.update(update), leadingTo: kept, isDurable: false)
      var next = NodeStateFile(directory: directory, logger: silent)
      #expect(next.load() == kept)
    }
  }

  @Test func whereverItIsCutOffItIsOneOfItsStates() throws {
    try withDirectory { directory in
      let all = write(60, seed: 7, to: directory)
      let whole = try Data(contentsOf: journal(directory))
      var reads = 0
      for count in stride(from: 1, to: whole.count, by: 53) {
        try whole.prefix(count).write(to: journal(directory))
        var file = NodeStateFile(directory: directory, logger: silent)
        guard let kept = file.load() else { continue }
        reads += 1
        #expect(all.contains(kept))
        #expect(file.fault == nil)
        // What was broken off is gone, so that nothing is written behind it.
        #expect(try NodeStateFile.records(in: Data(contentsOf: journal(directory))).end > 0)
        var next = NodeStateFile(directory: directory, logger: silent)
        #expect(next.load() == kept)
      }
      #expect(reads > 20)
    }
  }

  @Test func zerosThatWereNeverWrittenEndTheFile() throws {
    try withDirectory { directory in
      let all = write(60, seed: 7, to: directory)
      let whole = try Data(contentsOf: journal(directory))
      for count in [1, 7, 8, 64, 5000] {
        try (whole + Data(count: count)).write(to: journal(directory))
        var file = NodeStateFile(directory: directory, logger: silent)
        #expect(file.load() == all.last)
        #expect(file.fault == nil)
        #expect(try NodeStateFile.records(in: Data(contentsOf: journal(directory))).end > 0)
        var next = NodeStateFile(directory: directory, logger: silent)
        #expect(next.load() == all.last)
      }
    }
  }

  @Test func aBadPageAmongUnsyncedRecordsEndsTheFileUnlessASyncedOneFollows() throws {
    try withDirectory { directory in
      var file = NodeStateFile(directory: directory, logger: silent)
      var kept = KeptState()
      file.save(kept)
      var all = [kept]
      let start = try Data(contentsOf: journal(directory)).count
      for number in 0..<12 {
        let update = Update(
          epoch: Epoch(1), revision: Revision(1), isSnapshot: false,
          commands: [.leasePortRange(PortScript.lease(number, of: 1))])
        _ = kept.apply(update)
        file.append(.update(update), leadingTo: kept, isDurable: false)
        all.append(kept)
      }
      let unsynced = try Data(contentsOf: journal(directory))
      let news = kept.giveBack([PortScript.lease(0, of: 1)])
      file.append(.portsReturned(news), leadingTo: kept, isDurable: true)
      let synced = try Data(contentsOf: journal(directory))
      for place in start..<unsynced.count {
        var octets = unsynced
        octets[place] ^= 0x40
        try octets.write(to: journal(directory))
        var torn = NodeStateFile(directory: directory, logger: silent)
        let last = torn.load()
        let read = try #require(last)
        #expect(all.contains(read) && read != all.last)
        octets = synced
        octets[place] ^= 0x40
        try octets.write(to: journal(directory))
        var damaged = NodeStateFile(directory: directory, logger: silent)
        let isRead = damaged.load() != nil
        #expect(!isRead)
        #expect(FileManager.default.fileExists(atPath: journal(directory).path + ".unreadable"))
      }
    }
  }

  @Test func aReleaseBeforeThisOneLeftItsState() throws {
    try withDirectory { directory in
      let old = URL(filePath: directory).appending(path: "node-state.json")
      let update = Update(
        epoch: Epoch(3), revision: Revision(17), isSnapshot: true,
        commands: [
          .setMuxes([IPv4Address(10, 1, 0, 2)]), .announce(IPv4Address(203, 0, 113, 10)),
          .setLocators(IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 24)),
        ])
      var kept = KeptState()
      _ = kept.apply(update)
      let octets = try JSONEncoder().encode(kept.state)
      var fields = try #require(JSONSerialization.jsonObject(with: octets) as? [String: Any])
      for name in ["portRanges", "leases"] {
        let value = fields.removeValue(forKey: name)
        #expect(value != nil)
      }
      try JSONSerialization.data(withJSONObject: fields).write(to: old)
      var file = NodeStateFile(directory: directory, logger: silent)
      #expect(file.load() == kept)
      #expect(!FileManager.default.fileExists(atPath: old.path))
      var next = NodeStateFile(directory: directory, logger: silent)
      #expect(next.load() == kept)
    }
  }

  @Test func whatIsDamagedInTheMiddleIsPutAside() throws {
    try withDirectory { directory in
      _ = write(60, seed: 8, to: directory)
      var octets = try Data(contentsOf: journal(directory))
      octets[octets.count / 2] ^= 0x40
      try octets.write(to: journal(directory))
      var file = NodeStateFile(directory: directory, logger: silent)
      let kept = file.load()
      #expect(kept == nil)
      #expect(FileManager.default.fileExists(atPath: journal(directory).path + ".unreadable"))
    }
  }

  @Test func oneLeaseAmong20_000CostsAHundredOctets() throws {
    try withDirectory { directory in
      var kept = KeptState()
      let commands = (0..<UInt32(20_000)).compactMap { number -> Command? in
        let vip = IPv4Address(number: 0xcb00_7100 + number / 8000)
        return PortRange(vip: vip, firstPort: UInt16(1024 + number % 8000 * 8)).map {
          .setPortRange(PortLease($0, to: IPv4Address(number: number)))
        }
      }
      let snapshot = Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: true, commands: commands)
      _ = kept.apply(snapshot)
      var file = NodeStateFile(directory: directory, logger: silent)
      file.append(.update(snapshot), leadingTo: kept, isDurable: true)
      let before = try Data(contentsOf: journal(directory)).count
      let update = Update(
        epoch: Epoch(1), revision: Revision(2), isSnapshot: false,
        commands: [.setPortRange(PortScript.lease(0, of: 1))])
      _ = kept.apply(update)
      file.append(.update(update), leadingTo: kept, isDurable: true)
      #expect(try Data(contentsOf: journal(directory)).count - before < 100)
      file.tidy(kept)
      var next = NodeStateFile(directory: directory, logger: silent)
      #expect(next.load() == kept)
    }
  }

  @Test func whatOutgrowsTheRestIsWrittenAnew() throws {
    try withDirectory { directory in
      var script = PortScript(seed: 9)
      var file = NodeStateFile(directory: directory, logger: silent)
      var kept = KeptState()
      file.save(kept)
      var largest = 0
      while largest <= NodeStateFile.leastJournal {
        let update = Update(
          epoch: Epoch(1), revision: Revision(1), isSnapshot: false,
          commands: (0..<400).map { _ in script.command() })
        _ = kept.apply(update)
        file.append(.update(update), leadingTo: kept, isDurable: false)
        largest = try Data(contentsOf: journal(directory)).count
      }
      file.tidy(kept)
      #expect(try Data(contentsOf: journal(directory)).count < 10_000)
      var next = NodeStateFile(directory: directory, logger: silent)
      #expect(next.load() == kept)
    }
  }

  @Test func whatCannotBeWrittenIsAFaultUntilItCan() throws {
    try withDirectory { directory in
      let missing = directory + "/later"
      var kept = KeptState()
      var file = NodeStateFile(directory: missing, logger: silent)
      let update = Update(
        epoch: Epoch(1), revision: Revision(2), isSnapshot: false,
        commands: [.leasePortRange(PortScript.lease(0, of: 1))])
      _ = kept.apply(update)
      file.append(.update(update), leadingTo: kept, isDurable: true)
      #expect(file.fault?.contains("no order is acknowledged") == true)
      try FileManager.default.createDirectory(atPath: missing, withIntermediateDirectories: true)
      file.tidy(kept)
      #expect(file.fault == nil)
      var next = NodeStateFile(directory: missing, logger: silent)
      #expect(next.load() == kept)
    }
  }
}
