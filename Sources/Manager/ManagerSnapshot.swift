public import Control
public import Wire

/// A manager's state as it is kept on disk: lists in a fixed order, so that equal states have equal texts.
public struct ManagerSnapshot: Codable, Hashable, Sendable {
  /// A VM and its locator.
  public struct Assignment: Codable, Hashable, Sendable {
    /// The VM's name.
    public var machine: String
    /// Its locator.
    public var locator: IPv4Address
  }
  /// A backend and its health.
  public struct Verdict: Codable, Hashable, Sendable {
    /// Which backend.
    public var backend: BackendKey
    /// How it is.
    public var health: BackendHealth
  }
  /// Of the last entry.
  public var revision: Revision
  /// Of the last primary.
  public var epoch: Epoch
  /// By kind and name.
  public var resources: [Resource]
  /// By VM.
  public var locators: [Assignment]
  /// By backend.
  public var health: [Verdict]

  /// The keys of datagrams.
  public var keys: KeyRing
  /// When they last went on.
  public var keysRotatedAt: UInt64
  /// The newest last.
  public var auditRecords: [AuditRecord]
  /// Nil when nobody has any, as in snapshots from before there were leases.
  public var ports: PortSnapshot?
  /// Leases up to this revision are known to all MUXes; nil before there were leases.
  public var ripe: Revision?

  /// Writes a state down.
  public init(_ state: ManagerState) {
    revision = state.revision
    epoch = state.epoch
    resources = state.desired.resources
    locators = state.locators.map { Assignment(machine: $0.key, locator: $0.value) }
      .sorted { $0.machine < $1.machine }
    keys = state.keys
    keysRotatedAt = state.keysRotatedAt
    auditRecords = state.auditRecords
    ports = PortSnapshot(state.ports)
    ripe = state.ripe == Revision(0) ? nil : state.ripe
    health = state.health.map { Verdict(backend: $0.key, health: $0.value) }.sorted {
      $0.backend < $1.backend
    }
  }
}

extension ManagerState {
  /// Takes a state up where it was written down.
  public init(_ snapshot: ManagerSnapshot) {
    var desired = DesiredState()
    for resource in snapshot.resources { desired.insert(resource) }
    let locators = Dictionary(snapshot.locators.map { ($0.machine, $0.locator) }) { first, _ in first }
    self.init(
      revision: snapshot.revision, epoch: snapshot.epoch, desired: desired, locators: locators,
      health: Dictionary(snapshot.health.map { ($0.backend, $0.health) }) { first, _ in first },
      keys: snapshot.keys, keysRotatedAt: snapshot.keysRotatedAt, auditRecords: snapshot.auditRecords,
      ports: snapshot.ports?.allocation(locators) ?? PortAllocation(),
      ripe: snapshot.ripe ?? Revision(0))
  }
}
