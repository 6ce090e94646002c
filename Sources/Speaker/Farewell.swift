/// A connection whose session has left it, kept until its NOTIFICATION has arrived.
///
/// Closing at once could destroy it: with unread input the kernel resets the connection, and a reset overtakes
/// what was written. So the rest is written, then the writing side is closed, then input is thrown away to its end.
final class Farewell {
  let socket: TCPSocket
  let deadline: ContinuousClock.Instant
  private var output: ArraySlice<UInt8>
  private var isDone = false

  init(_ socket: consuming TCPSocket, output: ArraySlice<UInt8>, deadline: ContinuousClock.Instant) {
    self.socket = socket
    self.output = output
    self.deadline = deadline
    write()
  }

  var wantsToWrite: Bool { !output.isEmpty }

  func isOver(at now: ContinuousClock.Instant) -> Bool { isDone || now >= deadline }

  func proceed(_ readiness: Poller.Readiness) {
    if readiness.canWrite, wantsToWrite { write() }
    guard readiness.canRead else { return }
    switch socket.read() {
    case .octets, .wouldBlock: break
    case .ended, .failed: isDone = true
    }
  }

  private func write() {
    while !output.isEmpty {
      switch socket.write(output) {
      case .written(let count): output.removeFirst(count)
      case .wouldBlock: return
      case .failed:
        isDone = true
        output = []
      }
    }
    socket.finishWriting()
  }
}
