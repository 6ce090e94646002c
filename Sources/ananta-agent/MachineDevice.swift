internal import Control
internal import Platform
internal import Wire

/// A VM's TUN device, opened inside its namespace; closed when nobody holds it any more.
final class MachineDevice: Sendable {
  let machine: HostMachine
  let queue: TUNQueue

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
  }

  /// Lets the device end with this object, since the VM is no longer here.
  func abandon() {
    try? queue.setPersistent(false)
  }
}
