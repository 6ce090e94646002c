internal import Dataplane
internal import KernelPath
internal import Mux
internal import Platform
internal import Synchronization
internal import Wire

/// What the control side hands a MUX worker.
final class MuxPlan: Sendable {
  let map: VIPMap
  /// Changed in place while it is in force.
  let ranges: SNATRanges
  /// Grows with each plan, so that the worker can say which one it runs.
  let generation: UInt64
  /// Whose programs leave to us what they do not decide; nil without them.
  let kernel: MuxKernel?
  /// Whether its programs are gone, so that their records are the worker's from now on.
  let keepsRecords: Bool

  init(
    _ map: VIPMap, _ ranges: SNATRanges, generation: UInt64, kernel: MuxKernel?, keepsRecords: Bool = false
  ) {
    self.map = map
    self.ranges = ranges
    self.kernel = kernel
    self.keepsRecords = keepsRecords
    self.generation = generation
  }
}

/// One queue of `ananta0` and the thread that works on it.
final class MuxWorker: Sendable {
  /// Packets taken from the queue before configuration and clock are looked at again.
  static let batch = 64

  let mailbox: Mailbox<MuxPlan>
  /// The generation of the plan in force.
  let adopted = Atomic<UInt64>(0)
  let counters: MuxCounters
  let flowRecords = Atomic<Int>(0)
  /// Packets that the kernel did not take.
  let refused = Atomic<UInt64>(0)
  private let isStopping = Atomic<Bool>(false)
  private let queue: TUNQueue
  private let address: IPv4Address
  private let mtu: Int

  init(queue: consuming TUNQueue, address: IPv4Address, mtu: Int) throws(PlatformError) {
    mailbox = try Mailbox()
    counters = MuxCounters()
    self.queue = queue
    self.address = address
    self.mtu = mtu
  }

  /// Starts the thread; it runs until `stop`.
  func start(
    index: Int, onCPU cpu: Int?, map: VIPMap, ranges: SNATRanges
  ) throws(PlatformError) -> WorkerThread {
    let loop = try MuxLoop(
      mux: Mux(address: address, mtu: mtu, map: map, ranges: ranges, counters: counters), worker: self)
    return try WorkerThread.start(named: "mux-\(index)", onCPU: cpu, state: loop) { loop in
      loop.run()
    }
  }

  /// Ends the thread after the batch in hand.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    mailbox.wakeup.signal()
  }

  /// What the thread owns.
  private struct MuxLoop: ~Copyable {
    var mux: Mux
    var buffer: PacketBuffer
    var epoll: Epoll
    var kernel: MuxKernel?
    var keepsRecords = false
    let worker: MuxWorker

    init(mux: consuming Mux, worker: MuxWorker) throws(PlatformError) {
      let epoll = try Epoll(capacity: 2)
      try epoll.add(worker.queue.descriptor, tag: 0)
      try epoll.add(worker.mailbox.wakeup.descriptor, tag: 1)
      buffer = try PacketBuffer()
      self.epoll = epoll
      self.mux = mux
      self.worker = worker
    }

    mutating func run() {
      let queue = worker.queue.handle
      while !worker.isStopping.load(ordering: .acquiring) {
        // A worker that nobody wakes still forgets old records.
        guard let ready = try? epoll.wait(timeoutMilliseconds: 100) else {
          UplinkDevice.isGone(worker.queue.interfaceName)
        }
        for index in 0..<ready where epoll[index].tag == 1 { worker.mailbox.wakeup.drain() }
        if let plan = worker.mailbox.take() {
          mux.adopt(plan.map)
          kernel = plan.kernel
          keepsRecords = plan.keepsRecords
          mux.adopt(plan.ranges)
          worker.adopted.store(plan.generation, ordering: .releasing)
        }
        let now = UInt32(truncatingIfNeeded: MonotonicClock.milliseconds)
        mux.sweep(now: now)
        if !Self.drain(queue, &mux, &buffer, kernel, keepsRecords, now: now) {
          UplinkDevice.isGone(worker.queue.interfaceName)
        }
        worker.refused.store(buffer.refused, ordering: .relaxed)
        worker.flowRecords.store(mux.recordCount, ordering: .relaxed)
      }
    }

    /// What the stack routed to our VIPs, on to the backends; false when the device is gone.
    static func drain(
      _ queue: TUNQueue.Handle, _ mux: inout Mux, _ buffer: inout PacketBuffer, _ kernel: MuxKernel?,
      _ keepsRecords: Bool, now: UInt32
    ) -> Bool {
      var offload = Offload()
      for _ in 0..<MuxWorker.batch {
        let byteCount: Int
        switch buffer.receive(from: queue, &offload) {
        case .packet(let count): byteCount = count
        case .empty, .lost: return true
        case .closed: return false
        }
        var borrowed: FiveTuple?
        if let kernel {
          borrowed = Self.borrow(from: kernel, &mux, &buffer, byteCount: byteCount, keepsRecords, now: now)
        }
        let verdict = mux.process(buffer.bytes, byteCount: byteCount, offload: &offload, now: now)
        if let borrowed, !keepsRecords { mux.giveBack(borrowed) }
        guard case .transmit(let offset, let length) = verdict else { continue }
        if !buffer.transmitSegments(offset: offset, byteCount: length, offload, to: .tun(queue)) {
          mux.countDrop(.offload)
        }
      }
      return true
    }

    /// Lets the packet in hand be judged by what the kernel's programs have recorded of its connection; which
    /// that is.
    static func borrow(
      from kernel: MuxKernel, _ mux: inout Mux, _ buffer: inout PacketBuffer, byteCount: Int,
      _ keepsRecords: Bool,
      now: UInt32
    ) -> FiveTuple? {
      guard let (connection, number) = mux.connection(in: buffer.bytes, byteCount: byteCount),
        // What was kept is newer than what it was taken from.
        !keepsRecords || !mux.hasRecord(of: connection),
        let record = kernel.record(of: connection, number: number, now: now)
      else { return nil }
      mux.borrow(record, of: connection, now: now)
      return connection
    }
  }
}
