internal import Platform

/// What an agent has left in the kernel for a role, to be taken away by one that does not go on with it:
/// programs without an agent would forward by tables that nobody keeps up to date.
struct LeftPrograms {
  /// Of the role's filters in tc.
  let priority: UInt32
  /// Of the role's filters in tc.
  let handle: UInt32
  /// Where the role's names are.
  let directory: String

  /// The MUX's.
  static func mux(_ dataDirectory: String) -> LeftPrograms {
    LeftPrograms(
      priority: KernelForwarding.priority, handle: KernelForwarding.handle,
      directory: "\(dataDirectory)/\(KernelForwarding.directory)/mux")
  }

  /// The host's.
  static func host(_ dataDirectory: String) -> LeftPrograms {
    LeftPrograms(
      priority: HostForwarding.priority, handle: HostForwarding.handle,
      directory: "\(dataDirectory)/\(KernelForwarding.directory)/host")
  }

  /// Takes the programs from every device, and every name; what is not there is no fault.
  func remove() {
    removeFilters { _ in true }
    guard let files = try? BPFFilesystem.open(directory), let names = try? files.names() else { return }
    for name in names {
      if name.hasPrefix("xdp-"), let path = try? files.path(name) { Self.detach(path) }
      _ = try? files.remove(name)
    }
  }

  /// Takes the filters from the devices that a rule names by their index.
  func removeFilters(where isUnwanted: (Int32) -> Bool) {
    guard let netlink = try? Netlink.open(), let links = try? netlink.links() else { return }
    for link in links where isUnwanted(link.index) {
      _ = try? TCFilter(device: link.index, .ingress, priority: priority, handle: handle).detach()
    }
  }

  private static func detach(_ path: String) {
    do throws(PlatformError) {
      switch try XDPLink.open(pinned: path) {
      case .some(let link): try link.detach()
      case .none: return
      }
    } catch {
      // A link whose device is gone has nothing to be detached from.
    }
  }
}
