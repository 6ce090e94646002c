import Control
import Foundation
import Glibc
import Synchronization
import Testing

/// Passes octets between a server and whoever connects, until it freezes: then connections stay, kernels acknowledge,
/// and nothing is answered, as if the server's process were stopped.
final class FreezingProxy: Sendable {
  let address: ManagerAddress
  private let listener: Int32
  private let server: ManagerAddress
  private let isFrozen = Atomic(false)
  private let connections = Atomic(0)

  init(to server: ManagerAddress) throws {
    self.server = server
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var name = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(listener, address, length) == 0 && getsockname(listener, address, &length) == 0
      }
    }
    try #require(isBound && listen(listener, 64) == 0)
    address = ManagerAddress(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
    Thread.detachNewThread { [self] in accept() }
  }

  func freeze() { isFrozen.store(true, ordering: .releasing) }

  /// How many connections were made so far.
  var count: Int { connections.load(ordering: .acquiring) }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { break }
      connections.wrappingAdd(1, ordering: .releasing)
      let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = Self.loopback(server.port)
      _ = unsafe withUnsafePointer(to: &name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      Thread.detachNewThread { [self] in pump(client, upstream) }
      Thread.detachNewThread { [self] in pump(upstream, client) }
    }
    close(listener)
  }

  private func pump(_ source: Int32, _ sink: Int32) {
    var octets = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe octets.withUnsafeMutableBytes { unsafe recv(source, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { break }
      guard !isFrozen.load(ordering: .acquiring) else { continue }
      _ = unsafe octets.withUnsafeBytes { unsafe send(sink, $0.baseAddress, count, Int32(MSG_NOSIGNAL)) }
    }
    // Who is frozen does not say farewell either.
    if !isFrozen.load(ordering: .acquiring) { shutdown(sink, Int32(SHUT_RDWR)) }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    name.sin_port = port.bigEndian
    return name
  }
}
