import Control
import Paxos
import Replication
import Synchronization

/// Some managers in one process.
final class Group: Sendable {
  let network = MemoryNetwork()
  let managers: [ManagerAddress]
  private let tuning: Tuning
  private let running = Mutex<[Int: Member]>([:])

  /// A group; a steady one keeps its primary on a busy machine, since its lease is long.
  init(_ count: Int, snapshotEntries: Int = 4096, isSteady: Bool = false) {
    managers = (0..<count).map { ManagerAddress(host: "10.1.\($0).2", port: UInt16(4600 + $0)) }
    var tuning = Tuning()
    tuning.snapshotEntries = snapshotEntries
    if isSteady { tuning.lease = 5_000 }
    self.tuning = tuning
  }

  var members: [Member] { running.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }

  @discardableResult func start(_ index: Int, disk: MemoryDisk? = nil) throws -> Member {
    let member = try Member(
      index, of: managers, disk: disk ?? MemoryDisk(UInt64(100 + index)), on: network, tuning: tuning)
    running.withLock { $0[index] = member }
    return member
  }

  func startAll() throws { for index in managers.indices { try start(index) } }

  func kill(_ member: Member) async {
    running.withLock { $0 = $0.filter { $0.value !== member } }
    await member.kill()
  }

  func stop() async { for member in members { await member.kill() } }

  /// The primary of the highest epoch, as soon as there is one with a lease: before that, another may depose it.
  func primary(above epoch: Epoch = .none) async -> Member? {
    let best: @Sendable () -> Member? = {
      self.members.filter { ($0.known.epoch ?? .none) > epoch }
        .max { ($0.known.epoch ?? .none) < ($1.known.epoch ?? .none) }
    }
    for _ in 0..<10 {
      guard await eventually({ best() != nil }), let member = best() else { return nil }
      if case .readable? = await member.answer({ $0.read($1) }) { return member }
    }
    return nil
  }

  /// Whether all come to hold these networks.
  func allHold(_ names: Set<String>) async -> Bool {
    await eventually { self.members.allSatisfy { $0.networks.isSuperset(of: names) } }
  }
}
