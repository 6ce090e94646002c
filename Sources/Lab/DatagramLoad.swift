public import Wire

/// Asks a UDP service many times, each time from a new port; the answer names the backend.
public struct DatagramLoad: Hashable, Sendable {
  /// Where to.
  public var address: IPv4Address
  /// Where to.
  public var port: UInt16
  /// How many questions.
  public var count: Int
  /// How long an answer may take before the question counts as failed.
  public var timeoutMilliseconds: Int

  /// Describes a load.
  public init(address: IPv4Address, port: UInt16, count: Int, timeoutMilliseconds: Int = 1_000) {
    self.address = address
    self.port = port
    self.count = count
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  /// Asks one question after another from this process's namespace.
  public func run() -> ConnectReport {
    let now = MonotonicTime.now
    var report = ConnectReport(began: now, ended: now)
    var shares: [String: ConnectReport.Share] = [:]
    for _ in 0..<count {
      report.attempted += 1
      let began = MonotonicTime.now
      do {
        let backend = try ask()
        report.succeeded += 1
        shares[backend, default: .init(backend: backend, count: 0, lastBegan: 0)].count += 1
        shares[backend]?.lastBegan = began
      } catch {
        report.failed += 1
        guard report.failures.count < Limits.listedFailures else { continue }
        report.failures.append(.init(began: began, ended: MonotonicTime.now, reason: "\(error)"))
      }
    }
    report.ended = MonotonicTime.now
    report.shares = shares.values.sorted { $0.backend < $1.backend }
    return report
  }

  private func ask() throws(SocketError) -> String {
    var poller = Poller()
    let socket = try Socket.datagram(to: address, port: port)
    poller.set(.reading, for: socket)
    try socket.send(Array("who?\n".utf8))
    let end = MonotonicTime.now + UInt64(timeoutMilliseconds) * 1_000_000
    while MonotonicTime.now < end {
      _ = poller.wait(milliseconds: 20)
      if case .bytes(let bytes) = try socket.receive() {
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      }
    }
    throw SocketError(call: "receive", number: 110)
  }
}

/// Answers every datagram with a name, for ever.
public struct DatagramServer: Sendable {
  private let name: String
  private let port: UInt16

  /// Answers on a port.
  public init(name: String, port: UInt16) {
    self.name = name
    self.port = port
  }

  /// Serves until the process ends.
  public func run() throws(LabError) -> Never {
    do {
      let socket = try Socket.datagramServer(port: port)
      var poller = Poller()
      poller.set(.reading, for: socket)
      let answer = Array("\(name)\n".utf8)
      while true {
        _ = poller.wait(milliseconds: 1_000)
        while socket.answerDatagram(answer) {}
      }
    } catch {
      throw LabError(.command, "Port \(port) cannot be served: \(error).")
    }
  }
}
