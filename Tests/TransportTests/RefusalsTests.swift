import Control
import Logging
import Synchronization
import Testing

@testable import Transport

/// Whoever is refused is counted always, and logged within bounds.
@Suite struct RefusalsTests {
  private final class Lines: Sendable { let count = Mutex(0) }

  private struct LineCounter: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.count.withLock { $0 += 1 } }
  }

  @Test func oneReasonIsOneLineAndNewReasonsAreBounded() {
    let lines = Lines()
    let refusals = Refusals(logger: Logger(label: "test") { _ in LineCounter(lines: lines) })
    for _ in 0..<100 { refusals.add("role", peer: "10.0.0.1:1234", "no") }
    #expect(lines.count.withLock { $0 } == 1)
    let flood = 4 * Limits.refusalsRemembered
    for number in 0..<flood { refusals.add("certificate-authority", peer: "", "stranger \(number)") }
    #expect(lines.count.withLock { $0 } == Limits.refusalsRemembered)
    let counts = refusals.counters.map(\.value).sorted()
    #expect(counts == [100, UInt64(flood)])
  }
}
