internal import CLinux
internal import Glibc

/// A thread of its own for packets or for a session that must not be starved.
///
/// Its state is handed over and belongs to it alone, so that no lock is needed.
/// The corresponding C functions are `pthread_*`.
public struct WorkerThread: ~Copyable, Sendable {
  private let handle: pthread_t

  /// Starts a thread that owns `state` and ends when `body` returns.
  ///
  /// The name is cut to 15 bytes and shows in `ps -L` and `top -H`. The thread stays on the CPU given; a CPU
  /// the process may not use is an error.
  public static func start<State: ~Copyable>(
    named name: String, onCPU cpu: Int? = nil, state: consuming sending State,
    _ body: @escaping @Sendable (inout State) -> Void
  ) throws(PlatformError) -> WorkerThread {
    if let cpu, !availableCPUs.contains(cpu) {
      throw PlatformError(
        "pin thread", "\(name) to CPU \(cpu)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "Use one of the CPUs \(availableCPUs).")
    }
    let start = Start(state, name: name, cpu: cpu, body)
    return WorkerThread(
      handle: try launch("start thread", name, stackBytes: Limits.workerStackBytes, start))
  }

  /// Starts a thread that ends when `body` returns.
  public static func start(
    named name: String, onCPU cpu: Int? = nil, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> WorkerThread {
    try start(named: name, onCPU: cpu, state: ()) { _ in body() }
  }

  // A thread that nobody joins goes on, and gives its memory back when it ends.
  deinit { pthread_detach(handle) }

  /// Waits until the thread has ended.
  public consuming func join() {
    let thread = handle
    discard self
    let code = pthread_join(thread, nil)
    precondition(code == 0, "a thread is joined once, and not by itself")
  }

  /// The CPUs the calling thread may run on, in ascending order.
  ///
  /// The corresponding command is `taskset -p`.
  public static var availableCPUs: [Int] {
    let found = unsafe [CInt](unsafeUninitializedCapacity: Limits.cpus) { buffer, count in
      count = unsafe Int(max(0, clinux_allowed_cpus(buffer.baseAddress, CInt(buffer.count))))
    }
    return found.map(Int.init)
  }

  /// Keeps the calling thread, and those it starts from now on, on one CPU.
  ///
  /// The corresponding command is `taskset -c CPU`.
  public static func stay(onCPU cpu: Int) throws(PlatformError) {
    let code = clinux_pin_thread(CInt(cpu))
    guard code == 0 else { throw PlatformError("stay on", "CPU \(cpu)", Errno(rawValue: code)) }
  }

  /// What a thread begins with; the thread's first act is to take it over.
  class Beginning {
    func run() {}
  }

  private final class Start<State: ~Copyable>: Beginning {
    private var state: State
    private let name: String
    private let cpu: Int?
    private let body: @Sendable (inout State) -> Void

    init(
      _ state: consuming sending State, name: String, cpu: Int?,
      _ body: @escaping @Sendable (inout State) -> Void
    ) {
      self.state = state
      self.name = name
      self.cpu = cpu
      self.body = body
    }

    override func run() {
      unsafe clinux_name_thread(name)
      if let cpu { _ = clinux_pin_thread(CInt(cpu)) }
      body(&state)
    }
  }

  /// Starts a thread that runs and then releases the beginning.
  static func launch(
    _ attempt: String, _ object: String, stackBytes: Int, _ beginning: Beginning
  ) throws(PlatformError) -> pthread_t {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    let argument = unsafe Unmanaged.passRetained(beginning)
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Beginning>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      unsafe argument.release()
      throw PlatformError(attempt, object, Errno(rawValue: code))
    }
    return thread
  }
}
