internal import CBPF
internal import CNetlink
internal import Glibc

/// A place for a program in tc: at a device's ingress or egress, by priority and handle.
///
/// The same place is used again by an agent that starts again, so that its new program takes the old one's
/// place with no packet in between, and nobody else's filter is touched. A filter stays when this process ends.
public struct TCFilter: Hashable, Sendable {
  /// Which packets of a device.
  public enum Direction: String, CaseIterable, Hashable, Sendable {
    /// Those that come in by it.
    case ingress
    /// Those that go out by it.
    case egress
  }

  /// The device's index in the calling thread's namespace.
  public let device: Int32
  /// Which packets of the device.
  public let direction: Direction
  /// The order among filters, 1 to 65,535, the lowest first.
  public let priority: UInt32
  /// The filter's number within its priority, not 0.
  public let handle: UInt32

  /// Describes a place.
  public init(device: Int32, _ direction: Direction, priority: UInt32, handle: UInt32) {
    precondition((1...65_535).contains(priority) && handle != 0, "a priority of 16 bits and a handle")
    self.device = device
    self.direction = direction
    self.priority = priority
    self.handle = handle
  }

  /// Puts a program into the place, in one step when another one is there.
  ///
  /// The device needs its hook first (`createHook`). The corresponding command is `tc filter replace dev DEVICE
  /// ingress prio PRIORITY handle HANDLE bpf direct-action`.
  public func attach(_ program: borrowing BPFProgram) throws(PlatformError) {
    let raw = program.descriptor.raw
    try BPFLibrary.check("attach", "program \(program.name) to \(self)") {
      cbpf_tc_attach(device, isEgress, raw, handle, priority)
    }
  }

  /// The kernel's number for the program in the place; nil when there is none.
  ///
  /// The corresponding command is `tc filter show dev DEVICE ingress`.
  public func programID() throws(PlatformError) -> UInt32? {
    var id: UInt32 = 0
    let outcome = BPFLibrary.call { unsafe cbpf_tc_query(device, isEgress, handle, priority, &id) }
    guard case .failure(let error) = outcome else { return id }
    guard Self.meansNothingThere(error) else { throw PlatformError("query", "\(self)", error) }
    return nil
  }

  /// Removes the filter; whether there was one.
  @discardableResult public func detach() throws(PlatformError) -> Bool {
    guard try programID() != nil else { return false }
    let outcome = BPFLibrary.call { cbpf_tc_detach(device, isEgress, handle, priority) }
    guard case .failure(let error) = outcome else { return true }
    guard Self.meansNothingThere(error) else { throw PlatformError("remove", "\(self)", error) }
    return false
  }

  /// Gives a device the hook that filters hang on; whether it had none.
  ///
  /// The corresponding command is `tc qdisc add dev DEVICE clsact`.
  public static func createHook(device: Int32) throws(PlatformError) -> Bool {
    let outcome = BPFLibrary.call { cbpf_tc_create_hook(device) }
    guard case .failure(let error) = outcome else { return true }
    guard error.rawValue == EEXIST else {
      throw PlatformError("add clsact to", "device number \(device)", error)
    }
    return false
  }

  private var isEgress: CInt { direction == .egress ? 1 : 0 }

  /// ENOENT without the filter, EINVAL without the hook.
  private static func meansNothingThere(_ error: Errno) -> Bool {
    error.rawValue == ENOENT || error.rawValue == EINVAL
  }
}

extension TCFilter: CustomStringConvertible {
  /// Direction, device, priority and handle.
  public var description: String {
    "tc \(direction.rawValue) of device number \(device), priority \(priority), handle \(handle)"
  }
}
