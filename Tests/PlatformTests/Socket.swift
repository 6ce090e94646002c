import Glibc
import Platform
import Wire

/// Plain sockets for the tenants' side of tests.
struct Socket: ~Copyable {
  let raw: CInt

  deinit { if raw >= 0 { _ = Glibc.close(raw) } }

  /// A TCP listener inside a namespace; port 0 lets the kernel choose.
  static func listen(
    port: UInt16, in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) -> Socket {
    try namespace.run { () throws(PlatformError) in
      let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      var one: CInt = 1
      unsafe setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
      guard Self.bind(raw, .any, port) == 0, Glibc.listen(raw, 16) == 0 else {
        throw PlatformError("listen on", "port \(port)", .current)
      }
      return Socket(raw: raw)
    }
  }

  /// One datagram from each port, inside a namespace.
  static func sendDatagrams(
    to address: IPv4Address, port: UInt16, fromPorts ports: Range<UInt16>,
    in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) {
    try namespace.run { () throws(PlatformError) in
      for source in ports {
        let sender = Socket(raw: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0))
        guard bind(sender.raw, .any, source) == 0, send(sender.raw, to: address, port) == 4 else {
          throw PlatformError("send to", "\(address):\(port)", .current)
        }
      }
    }
  }

  /// The next connection; a closed socket when there is none.
  borrowing func accept() -> Socket {
    let raw = Glibc.accept(raw, nil, nil)
    if raw >= 0 { _ = fcntl(raw, F_SETFL, O_NONBLOCK) }
    return Socket(raw: raw)
  }

  /// Reads all there is; the number of bytes.
  borrowing func drain() -> Int {
    guard raw >= 0 else { return 0 }
    var total = 0
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe recv(raw, &buffer, buffer.count, 0)
      guard count > 0 else { return total }
      total += count
    }
  }

  private static func bind(_ raw: CInt, _ address: IPv4Address, _ port: UInt16) -> CInt {
    var name = name(address, port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.bind(raw, $0, size) }
    }
  }

  private static func send(_ raw: CInt, to address: IPv4Address, _ port: UInt16) -> Int {
    var name = name(address, port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe sendto(raw, "ping", 4, 0, $0, size)
      }
    }
  }

  private static func name(_ address: IPv4Address, _ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr = in_addr(s_addr: address.raw)
    return name
  }
}
