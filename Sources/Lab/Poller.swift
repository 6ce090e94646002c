import Glibc

/// Waits for sockets; the corresponding call is `poll`.
struct Poller {
  /// What a socket is waited for.
  enum Interest {
    case reading, writing
  }

  private var interests: [Int32: Interest] = [:]

  /// Adds a socket, or changes what it is waited for.
  mutating func set(_ interest: Interest, for socket: Socket) { interests[socket.descriptor] = interest }

  /// Takes a socket out; must be done before it is closed.
  mutating func remove(_ descriptor: Int32) { interests[descriptor] = nil }

  /// The descriptors of sockets that are ready or broken, after at most so many milliseconds.
  func wait(milliseconds: Int) -> [Int32] {
    var entries = interests.map { descriptor, interest in
      pollfd(fd: descriptor, events: Int16(interest == .reading ? POLLIN : POLLOUT), revents: 0)
    }
    let count = unsafe poll(&entries, nfds_t(entries.count), Int32(max(0, milliseconds)))
    guard count > 0 else { return [] }
    return entries.filter { $0.revents != 0 }.map(\.fd)
  }
}
