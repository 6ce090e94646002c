internal import Control
internal import Platform
internal import Wire

/// The VMs of this host: their numbers, which they keep for life, and their devices.
struct MachineDirectory {
  /// A VM that this host was told of.
  struct Entry {
    /// Names it on the packet path; below `Limits.machines` of HostAgent.
    let index: UInt32
    var machine: HostMachine
    /// nil while the device could not be opened.
    var device: MachineDevice?
  }

  private struct Subject: Hashable {
    var locator: IPv4Address
    var key: EndpointKey
  }

  /// Sorted by index.
  private(set) var entries: [Entry] = []
  private var probeIDs: [Subject: UInt32] = [:]
  private var lastProbeID: UInt32 = 0

  /// The VM with a locator; nil when there is none.
  func entry(at locator: IPv4Address) -> Entry? { entries.first { $0.machine.locator == locator } }

  /// Whether some VM has no device.
  var isIncomplete: Bool { entries.contains { $0.device == nil } }

  /// Lets go of VMs that are gone or whose device is to be another; returns their locators.
  mutating func release(allBut wanted: [IPv4Address: HostMachine]) -> Set<IPv4Address> {
    var released: Set<IPv4Address> = []
    entries.removeAll { entry in
      guard wanted[entry.machine.locator] != entry.machine else { return false }
      entry.device?.abandon()
      released.insert(entry.machine.locator)
      return true
    }
    return released
  }

  /// Takes VMs in and opens what devices are missing; returns what could not be done.
  mutating func open(
    _ wanted: [IPv4Address: HostMachine], mtu: Int, _ forwarding: HostForwarding?
  ) -> [String] {
    let known = Set(entries.map(\.machine.locator))
    for machine in wanted.values.sorted(by: { $0.locator < $1.locator })
    where !known.contains(machine.locator) {
      entries.append(Entry(index: freeIndex(), machine: machine, device: nil))
      entries.sort { $0.index < $1.index }
    }
    var problems: [String] = []
    for place in entries.indices where entries[place].device == nil {
      do throws(PlatformError) {
        entries[place].device = try MachineDevice(entries[place].machine, mtu: mtu, forwarding)
      } catch {
        problems.append("VM \(entries[place].machine.name) has no device: \(error)")
      }
    }
    return problems
  }

  /// Lets go of devices whose namespace is no longer the one of that name: a VM that was made anew.
  ///
  /// The old namespace lives on as long as its device is open, so nothing else would tell.
  mutating func forgetStrays() {
    for place in entries.indices where entries[place].device?.isStray == true { entries[place].device = nil }
  }

  /// The device of a VM no longer works.
  mutating func forgetDevice(of index: UInt32) {
    guard let place = entries.firstIndex(where: { $0.index == index }) else { return }
    entries[place].device = nil
  }

  /// The number of a probe, the same for as long as its endpoint is served.
  mutating func probeID(of endpoint: HostEndpoint) -> UInt32 {
    let subject = Subject(locator: endpoint.locator, key: endpoint.key)
    if let id = probeIDs[subject] { return id }
    lastProbeID &+= 1
    probeIDs[subject] = lastProbeID
    return lastProbeID
  }

  /// Forgets the numbers of probes that are no more.
  mutating func keepProbes(of endpoints: [HostEndpoint]) {
    let subjects = Set(endpoints.map { Subject(locator: $0.locator, key: $0.key) })
    probeIDs = probeIDs.filter { subjects.contains($0.key) }
  }

  private func freeIndex() -> UInt32 {
    var index: UInt32 = 0
    for entry in entries {
      guard entry.index == index else { break }
      index += 1
    }
    return index
  }
}
