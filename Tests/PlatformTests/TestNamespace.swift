import Glibc
import Platform
import Synchronization

/// A network namespace that ends with its owner, so that a failing test leaves nothing behind.
struct TestNamespace: ~Copyable {
  static let prefix = "plattest-"
  private static let counter = Atomic<Int>(0)

  let name: String
  let namespace: NetworkNamespace

  init() throws(PlatformError) {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    if number == 1 { Self.sweep() }
    let name = "\(Self.prefix)\(getpid())-\(number)"
    self.name = name
    self.namespace = try NetworkNamespace.create(named: name)
  }

  deinit { try? NetworkNamespace.remove(named: name) }

  /// Removes what test processes left that were killed.
  private static func sweep() {
    let names = (try? Command.lines("ls", NetworkNamespace.directory)) ?? []
    for name in names where name.hasPrefix(prefix) {
      let parts = name.split(separator: "-")
      guard parts.count == 3, let owner = pid_t(parts[1]), kill(owner, 0) != 0, errno == ESRCH else {
        continue
      }
      try? NetworkNamespace.remove(named: name)
    }
  }
}

/// Whether the tests that need the kernel's cooperation can run.
let isRoot = geteuid() == 0
