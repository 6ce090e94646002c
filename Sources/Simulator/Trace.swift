/// The last events of a life as text, and a digest of all: equal digests mean equal lives.
struct Trace: Sendable {
  private struct Line: Sendable {
    var time: Moment
    var text: String
  }

  /// FNV-1a, 64 bits, over all that was noted.
  private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Whether lines are kept: they cost more than the life itself, and a finding's seed can be run again.
  let keepsLines: Bool
  private var lines: [Line] = []
  private var oldest = 0

  init(keepsLines: Bool) {
    self.keepsLines = keepsLines
  }

  /// Takes part of an event into the digest.
  mutating func mix(_ number: UInt64) {
    digest = (digest ^ number) &* 0x100_0000_01b3
  }

  /// Keeps a line, which is made only if it is wanted.
  mutating func note(_ time: Moment, _ text: @autoclosure () -> String) {
    guard keepsLines else { return }
    let line = Line(time: time, text: text())
    if lines.count < Limits.traceLines {
      lines.append(line)
    } else {
      lines[oldest] = line
      oldest = (oldest + 1) % Limits.traceLines
    }
  }

  /// The kept lines, the oldest first.
  var text: [String] {
    (lines[oldest...] + lines[..<oldest]).map { "\(Self.clock($0.time)) \($0.text)" }
  }

  /// `12.345678`, seconds.
  static func clock(_ time: Moment) -> String {
    let micros = String(time % 1_000_000)
    return "\(time / 1_000_000)." + String(repeating: "0", count: 6 - micros.count) + micros
  }
}
