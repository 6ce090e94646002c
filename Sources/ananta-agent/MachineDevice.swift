internal import Control
internal import Foundation
internal import Platform
internal import Wire

/// A VM's TUN device, opened inside its namespace; closed when nobody holds it any more.
final class MachineDevice: Sendable {
  let machine: HostMachine
  let queue: TUNQueue
  /// Tells the namespace from a later one of the same name.
  private let namespace: UInt64?

  /// Creates the device, or attaches to the one that an earlier process left, so that the VM notices nothing.
  init(_ machine: HostMachine, mtu: Int) throws(PlatformError) {
    var tun: TUN
    switch machine.attachment {
    case .networkNamespace(let name, let device):
      let namespace = try NetworkNamespace.open(named: name)
      let wanted = TenantDevice(name: device, address: machine.dip, mtu: UInt32(mtu))
      tun = try wanted.open(in: namespace)
    }
    guard let queue = tun.takeQueue() else { preconditionFailure("a new device has its queue") }
    self.machine = machine
    self.queue = queue
    namespace = Self.identity(of: machine.attachment)
  }

  /// Whether the namespace it was opened in no longer bears the name.
  var isStray: Bool { Self.identity(of: machine.attachment) != namespace }

  /// The inode of the namespace that bears the name now; the corresponding command is `stat -L`.
  private static func identity(of attachment: Attachment) -> UInt64? {
    switch attachment {
    case .networkNamespace(let name, _):
      let path = "\(NetworkNamespace.directory)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value
    }
  }

  /// Lets the device end with this object, since the VM is no longer here.
  func abandon() {
    try? queue.setPersistent(false)
  }
}
