internal import Glibc
internal import Platform

/// The TUN device `anantaN` through which the stack hands packets to workers and takes what they send.
enum UplinkDevice {
  /// Packets that wait for a worker: 6 MB, so that the window of a fast TCP connection, which arrives in bursts
  /// of 45 packets for each super-packet, finds room; a worker empties it in about 5 ms.
  static let queueLength: UInt32 = 4096

  /// Creates the device and makes it ready: up, the underlay's MTU, and no source check, since what comes out of
  /// it carries the node's own address (a MUX's outer packets) or a VIP (a host's direct server return).
  static func open(_ name: String, queues: Int, mtu: Int) throws(PlatformError) -> TUN {
    let device = try TUN.open(name, queues: queues)
    // A device with several queues would take another agent's in, and share its packets with it.
    guard !device.wasPresent else {
      throw PlatformError(
        "create device", name, Errno(rawValue: EBUSY), reason: .deviceTaken,
        advice: "Another agent runs in this network namespace, or somebody else uses the name: end it first.")
    }
    let netlink = try Netlink.open()
    try netlink.setMTU(UInt32(mtu), link: name)
    try netlink.setQueueLength(queueLength, link: name)
    _ = try SysctlRequirement.repair(requirements(of: name))
    try netlink.setUp(true, link: name)
    return device
  }

  /// Mends settings that others have changed; what could not be done.
  static func repair(_ name: String) -> [String] {
    do throws(PlatformError) {
      _ = try SysctlRequirement.repair(requirements(of: name))
      return []
    } catch {
      return [error.description]
    }
  }

  private static func requirements(of name: String) -> [SysctlRequirement] {
    SysctlRequirement.node(devices: [name]) + SysctlRequirement.ownSources(device: name)
  }

  /// Ends the process, since a device that was taken away cannot be mended under its workers.
  ///
  /// A MUX that still announced VIPs without it would swallow their packets. The kernel closes the BGP session,
  /// and whoever supervises the agent starts it again.
  static func isGone(_ name: String) -> Never {
    StandardError.write("ananta-agent: device \(name) was removed by somebody else; start the agent again\n")
    exit(1)
  }
}
