import Foundation
import Glibc
import Synchronization

/// Two namespaces with a cable between them: a router's at 10.77.0.1 and a MUX's at 10.77.0.2.
///
/// Everything that was started in it ends with it.
final class TestNetwork {
  let router: String
  let mux: String
  let directory: URL
  private var processes: [Process] = []

  init(_ name: String) throws {
    guard geteuid() == 0 else {
      throw Command.Failure(description: "network namespaces need root; run these tests with sudo")
    }
    let prefix = "bgptest-\(getpid())-\(name)"
    router = "\(prefix)-router"
    mux = "\(prefix)-mux"
    directory = URL(fileURLWithPath: "/tmp/\(prefix)")
    // FRR gives up root and must still find and write its files.
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    do { try build() } catch {
      close()
      throw error
    }
  }

  private func build() throws {
    for namespace in [router, mux] {
      try Command.run("ip", "netns", "add", namespace)
      try Command.run("ip", "-n", namespace, "link", "set", "lo", "up")
    }
    try Command.run(
      "ip", "-n", router, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", mux)
    for (namespace, address) in [(router, "10.77.0.1/24"), (mux, "10.77.0.2/24")] {
      try Command.run("ip", "-n", namespace, "address", "add", address, "dev", "eth0")
      try Command.run("ip", "-n", namespace, "link", "set", "eth0", "up")
    }
  }

  /// Ends what was started, the last first, and removes all traces.
  func close() {
    for process in processes.reversed() { stop(process, signal: SIGKILL) }
    for namespace in [router, mux] { _ = try? Command.run("ip", "netns", "delete", namespace) }
    try? FileManager.default.removeItem(at: directory)
  }

  /// Starts a program in the router's namespace.
  func start(_ name: String, _ arguments: [String]) throws -> Process {
    let log = directory.appending(path: "\(name).out")
    let path = try Command.path(name)
    let process = try Command.start("ip", ["netns", "exec", router, path] + arguments, log: log)
    processes.append(process)
    return process
  }

  /// Ends a program by signal and waits for it.
  func stop(_ process: Process, signal: CInt = SIGTERM) {
    guard process.isRunning else { return }
    kill(process.processIdentifier, signal)
    Command.wait(for: process, seconds: 3)
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  /// What a program that was started has written.
  func output(of name: String) -> String {
    (try? String(contentsOf: directory.appending(path: "\(name).out"), encoding: .utf8)) ?? ""
  }

  /// Writes a file that FRR's user can read and replace.
  func write(_ name: String, _ text: String) throws {
    try text.write(to: directory.appending(path: name), atomically: false, encoding: .utf8)
  }

  func path(_ name: String) -> String { directory.appending(path: name).path }

  /// Runs a body on a thread that lives in the MUX's namespace; threads that it starts live there, too.
  func inMux<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let result = Mutex<Result<Value, any Error>?>(nil)
    let namespace = mux
    let done = DispatchSemaphore(value: 0)
    withExtendedLifetime(result) {
      Thread.detachNewThread {
        let value = Result {
          try enterNetworkNamespace(namespace)
          return try body()
        }
        result.withLock { $0 = value }
        done.signal()
      }
      done.wait()
    }
    guard let value = result.withLock({ $0 }) else {
      throw Command.Failure(description: "the thread in \(mux) left no result")
    }
    return try value.get()
  }
}

/// setns(2), which glibc's headers show only to _GNU_SOURCE.
private func enterNetworkNamespace(_ name: String) throws {
  typealias SetNamespace = @convention(c) (CInt, CInt) -> CInt
  guard let symbol = unsafe dlsym(nil, "setns") else {
    throw Command.Failure(description: "this libc has no setns")
  }
  let setNamespace = unsafe unsafeBitCast(symbol, to: SetNamespace.self)
  let descriptor = unsafe open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw Command.Failure(description: "no namespace \(name)") }
  defer { close(descriptor) }
  let cloneNewNet: CInt = 0x4000_0000
  guard setNamespace(descriptor, cloneNewNet) == 0 else {
    throw Command.Failure(description: "setns(\(name)) failed: error \(errno)")
  }
}
