import Glibc
import Platform
import Synchronization
import Testing

struct WorkerThreadTests {
  private final class Seen: Sendable {
    let name = Mutex("")
    let cpus = Mutex<[Int]>([])
    let sum = Atomic<Int>(0)
  }

  @Test func aThreadHasNameAndCPU() throws {
    let cpu = try #require(WorkerThread.availableCPUs.last)
    let seen = Seen()
    let thread = try WorkerThread.start(named: "plattest-a-long-name", onCPU: cpu) {
      seen.name.withLock { $0 = Self.ownName() }
      seen.cpus.withLock { $0 = WorkerThread.availableCPUs }
    }
    thread.join()
    #expect(seen.name.withLock { $0 } == "plattest-a-long")
    #expect(seen.cpus.withLock { $0 } == [cpu])
  }

  /// The calling thread's name, as the kernel has it.
  private static func ownName() -> String {
    guard let file = try? FileDescriptor.open("/proc/thread-self/comm", O_RDONLY) else { return "" }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = unsafe read(file.raw, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)
  }

  @Test func aThreadOwnsItsState() throws {
    let seen = Seen()
    let thread = try WorkerThread.start(named: "plattest-state", state: [1, 2, 3]) { numbers in
      numbers.append(4)
      seen.sum.store(numbers.reduce(0, +), ordering: .sequentiallyConsistent)
    }
    thread.join()
    #expect(seen.sum.load(ordering: .sequentiallyConsistent) == 10)
  }

  @Test func aCPUThatIsNotOursIsRefused() throws {
    do throws(PlatformError) {
      let thread = try WorkerThread.start(named: "plattest", onCPU: 1023) {}
      thread.join()
      Issue.record("there is no such CPU")
    } catch {
      #expect(error.reason == .invalid)
      #expect("\(error)".contains("CPU 1023"))
    }
  }
}
