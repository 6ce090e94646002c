public import Control
import Dispatch
public import Logging
public import Manager
import Paxos
import Synchronization

/// A manager's log, replicated by Paxos: one replica as a running thing.
///
/// All that happens to the replica meets on one serial queue, where the time is read when an input is taken up: a
/// process that was stopped for a minute judges its lease by the time after. The disk has a queue of its own, so has the
/// coding of entries in either direction; nobody waits for another.
///
///     append ─► coder ─► ┌─────────┐ ─► disk ─► persisted ─┐
///     peers ───────────► │ machine │ ─► network            │
///     ticks ───────────► └─────────┘ ─► teller ─► events   │
///                             ▲────────────────────────────┘
public final class PaxosLog: ReplicatedLog {
  private let machine: Mutex<LogMachine>
  private let waiting = Mutex((envelopes: 0, octets: 0, dropped: UInt64(0)))
  private let isStopped = Mutex(false)
  private let network: any ReplicaNetwork
  private let logger: Logger
  private let start = ContinuousClock.now
  /// Internal, so that a test can hold it up as SIGSTOP would.
  let executor = DispatchQueue(label: "ananta.log")
  private let coder = DispatchQueue(label: "ananta.log.coder")
  private let snapshots = DispatchQueue(label: "ananta.log.snapshots", qos: .utility)
  private let inbox: Inbox
  private let writer: DiskWriter
  private let teller: Teller
  private let ending: AsyncStream<String>
  private let end: AsyncStream<String>.Continuation

  /// Lets the disk's and the teller's threads reach the log, which is made after them.
  private final class Inbox: Sendable {
    private let log = Mutex<(@Sendable (LogInput) -> Void)?>(nil)
    func open(_ take: @escaping @Sendable (LogInput) -> Void) { log.withLock { $0 = take } }
    func put(_ input: LogInput) { log.withLock { $0 }?(input) }
  }

  /// Starts a replica with what its disk holds.
  ///
  /// Throws when the disk is damaged, or is another cluster's: nothing of it may be used then.
  public init(
    _ settings: ReplicationSettings, disk: any ReplicaDisk, network: any ReplicaNetwork, logger: Logger
  ) throws(DiskFailure) {
    let inbox = Inbox()
    self.inbox = inbox
    self.network = network
    self.logger = logger
    writer = DiskWriter(disk) { inbox.put($0) }
    teller = Teller { inbox.put($0) }
    (ending, end) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    var first = LogMachine(settings, disk: disk.replica)
    let state = try disk.recover()
    let effects = first.handle(.recovered(state, seed: .random(in: .min ... .max)), at: 0)
    if case .ended(let reason) = first.condition { throw DiskFailure(.damaged, reason) }
    let hello = first.hello
    machine = Mutex(first)
    inbox.open { [weak self] input in self?.put(input) }
    network.introduce(hello)
    executor.async { self.carryOut(effects) }
    network.listen { [weak self] event in self?.hear(event) }
    tickLater()
  }

  // MARK: ReplicatedLog

  /// What happens, in order, from the beginning of this replica's life; to be consumed once.
  public var events: AsyncStream<Manager::LogEvent> { teller.events }

  /// Why an entry could never be appended: it would be larger than one entry of the log may be.
  public func objection(to entry: Manager::Entry) -> ManagementError? {
    if let most = EntryBound.octets(of: entry), most < Paxos.Limits.commandBytes { return nil }
    do throws(EntryCoding.Failure) {
      let size = try EntryCoding.encode(entry).count
      guard size > Paxos.Limits.commandBytes else { return nil }
      let limit = "an entry of the log may have \(Paxos.Limits.commandBytes) octets"
      return .refused(reason: "this change has \(size) octets in the log, and \(limit); apply it in parts")
    } catch {
      return .refused(reason: "this change cannot be written into the log: \(error)")
    }
  }

  /// Appends an entry behind those appended before; `events` tells what becomes of it.
  public func append(_ entry: Manager::Entry, in epoch: Epoch) {
    let now = now
    coder.async {
      do throws(EntryCoding.Failure) {
        let octets = try EntryCoding.encode(entry)
        self.put(.append(Appended(entry: entry, octets: octets, at: now), epoch))
      } catch {
        self.put(.unappendable(error.description))
      }
    }
  }

  /// Asks whether all that was acknowledged so far has been told; answered among the events.
  public func read(_ request: UInt64) { put(.read(request)) }

  /// Changes who votes, or who leads; answered among the events.
  public func change(_ request: UInt64, _ change: ManagerChange) {
    // Behind the entries that were appended before.
    coder.async { self.put(.change(request, change)) }
  }

  /// Takes the state that `snapshotWanted` has asked for.
  public func snapshot(_ state: ManagerState, for question: UInt64) {
    snapshots.async {
      do throws(EntryCoding.Failure) {
        let octets = try EntryCoding.encode(ManagerSnapshot(state))
        guard octets.count <= Paxos.Limits.snapshotBytes else {
          let limit = "a snapshot may have \(Paxos.Limits.snapshotBytes)"
          return self.logger.error("the state has \(octets.count) octets, and \(limit): the log will fill up")
        }
        self.put(.snapshotTaken(Slot(question), octets))
      } catch {
        self.logger.error("the state cannot be written down: \(error)")
      }
    }
  }

  /// The managers as this one knows them.
  public func group() async -> ManagerGroup {
    let now = now
    return machine.withLock { $0.group(at: now) }
  }

  /// Everything that is counted.
  public func counters() -> [Counter] {
    let metrics = machine.withLock { $0.metrics }
    let dropped = waiting.withLock { $0.dropped }
    return metrics.counters + network.counters() + [
      Counter(name: "ananta_log_syncs_total", labels: [:], value: writer.syncs),
      Counter(name: "ananta_log_messages_dropped_total", labels: ["by": "receiver"], value: dropped),
      Counter(name: "ananta_log_halted", labels: [:], value: obstacle == nil ? 0 : 1),
    ]
  }

  /// Why the replica does not run now; nil if it does, or waits for its cluster.
  public var obstacle: String? {
    machine.withLock { machine in
      switch machine.condition {
      case .halted(let reason), .ended(let reason): reason
      case .forming, .founding, .joining, .running: nil
      }
    }
  }

  /// Waits until the replica has ended by itself, and says why; nil if it was stopped.
  public func ended() async -> String? {
    for await reason in ending { return reason }
    return nil
  }

  /// Hands leadership over if there is somebody to take it, and closes the disk.
  public func stop() async {
    guard !isStopped.withLock({ $0 }) else { return }
    put(.resign)
    for _ in 0..<(Limits.resignMilliseconds / 20) {
      let mayHandOver = machine.withLock { $0.reign != nil && !$0.peers.peers.isEmpty }
      guard mayHandOver else { break }
      try? await Task.sleep(for: .milliseconds(20))
    }
    isStopped.withLock { $0 = true }
    await withCheckedContinuation { done in
      executor.async {
        self.writer.close()
        done.resume()
      }
    }
    teller.finish()
    end.finish()
  }

  // MARK: The way through

  /// Microseconds since the start, by a clock that runs while the machine sleeps: `ContinuousClock` is
  /// `CLOCK_BOOTTIME`.
  private var now: UInt64 {
    let passed = (ContinuousClock.now - start).components
    return UInt64(passed.seconds) * 1_000_000 + UInt64(passed.attoseconds / 1_000_000_000_000)
  }

  private func put(_ input: LogInput) {
    executor.async { self.take(input) }
  }

  private func hear(_ event: PeerEvent) {
    guard case .envelope(let envelope) = event else { return put(.peer(event)) }
    let size = envelope.message.size
    let isTaken = waiting.withLock { waiting in
      guard waiting.envelopes < Limits.envelopesWaiting, waiting.octets + size <= Limits.octetsWaiting else {
        waiting.dropped += 1
        return false
      }
      waiting.envelopes += 1
      waiting.octets += size
      return true
    }
    guard isTaken else { return }
    executor.async {
      self.waiting.withLock { waiting in
        waiting.envelopes -= 1
        waiting.octets -= size
      }
      self.take(.peer(event))
    }
  }

  private func tickLater() {
    executor.asyncAfter(deadline: .now() + .milliseconds(Limits.tickMilliseconds)) { [weak self] in
      guard let self, !self.isStopped.withLock({ $0 }) else { return }
      self.take(.tick)
      self.tickLater()
    }
  }

  /// On the executor.
  private func take(_ input: LogInput) {
    guard !isStopped.withLock({ $0 }) else { return }
    let effects = machine.withLock { $0.handle(input, at: now) }
    carryOut(effects)
  }

  private func carryOut(_ effects: [LogEffect]) {
    var tellings: [Telling] = []
    for effect in effects {
      switch effect {
      case .persist(let batch, let life): writer.persist(batch, life: life)
      case .send(let envelope): network.send(envelope)
      case .tell(let telling): tellings.append(telling)
      case .introduce(let hello): network.introduce(hello)
      case .broadcast(let status): network.broadcast(status)
      case .found(let state): writer.found(state)
      case .recover: writer.recover()
      case .log(.info, let text): logger.notice("\(text)")
      case .log(.warning, let text): logger.warning("\(text)")
      case .end(let reason): end.yield(reason)
      }
    }
    if !tellings.isEmpty { teller.tell(tellings) }
  }
}

extension Message {
  /// Octets of entries and snapshots in it, which are what can be large.
  fileprivate var size: Int {
    switch self {
    case .promise(let promise): promise.votes.reduce(0) { $0 + $1.entry.size }
    case .accept(let accept): accept.entries.reduce(0) { $0 + $1.size }
    case .chosen(let records, _): records.reduce(0) { $0 + $1.entry.size }
    case .chunk(let chunk): chunk.octets.count
    default: 0
    }
  }
}
