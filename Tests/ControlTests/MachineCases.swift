import Control

extension ValidationCase {
  static let networks = [
    Self("network's name", network("Blue"), path: "metadata.name", says: "lower-case"),
    Self("no prefixes", network("red") { $0.prefixes = [] }, path: "spec.prefixes", says: "at least one"),
    Self(
      "prefix twice", network("red") { $0.prefixes += $0.prefixes }, path: "spec.prefixes[1]",
      says: "overlaps 10.0.0.0/24"),
    Self(
      "prefix within another", network("red") { $0.prefixes.append(prefix("10.0.0.64/26")) },
      path: "spec.prefixes[1]", says: "10.0.0.64/26 overlaps 10.0.0.0/24"),
    Self(
      "everything", network("red") { $0.prefixes = [prefix("0.0.0.0/0")] }, path: "spec.prefixes[0]",
      says: "0.0.0.0/8"),
    Self(
      "loopback prefix", network("red") { $0.prefixes.append(prefix("127.0.0.0/16")) },
      path: "spec.prefixes[1]",
      says: "loopback"),
    Self(
      "65 prefixes", network("red") { $0.prefixes = (0..<65).map { prefix("10.0.\($0).0/24") } },
      path: "spec.prefixes", says: "at most 64"),
    Self(
      "a VM's DIP would lie outside", network("green") { $0.prefixes.removeFirst() }, path: "spec.prefixes",
      says: "10.0.0.11, the DIP of VirtualMachine/green-1"),
  ]

  static let machines = [
    Self("VM's name", machine("blue.1"), path: "metadata.name", says: "lower-case"),
    Self(
      "unknown network", machine("blue-9") { $0.network = "red" }, path: "spec.network",
      says: "no VirtualNetwork/red"),
    Self("unknown host", machine("blue-9") { $0.host = "host7" }, path: "spec.host", says: "no Node/host7"),
    Self(
      "a MUX as host", machine("blue-9") { $0.host = "mux1" }, path: "spec.host",
      says: "not have the role host"),
    Self(
      "DIP outside", machine("blue-9") { $0.dip = ip("10.0.1.1") }, path: "spec.dip",
      says: "outside VirtualNetwork/blue (10.0.0.0/24)"),
    Self(
      "DIP twice", machine("blue-9") { $0.dip = ip("10.0.0.11") }, path: "spec.dip",
      says: "DIP of VirtualMachine/blue-1"),
    Self(
      "DIP is multicast", machine("blue-9") { $0.dip = ip("239.1.1.1") }, path: "spec.dip", says: "multicast",
      and: [("spec.dip", "outside")]),
    Self(
      "no namespace", machine("blue-9") { $0.attachment = .networkNamespace(name: "", device: "eth0") },
      path: "spec.attachment.netns", says: "empty"),
    Self(
      "a path as namespace",
      machine("blue-9") { $0.attachment = .networkNamespace(name: "../x", device: "eth0") },
      path: "spec.attachment.netns", says: "printable"),
    Self(
      "dots as namespace",
      machine("blue-9") { $0.attachment = .networkNamespace(name: "..", device: "eth0") },
      path: "spec.attachment.netns", says: "not a name"),
    Self(
      "device of 16 characters",
      machine("blue-9") { $0.attachment = .networkNamespace(name: "x", device: "abcdefghijklmnop") },
      path: "spec.attachment.device", says: "Linux allows 15"),
    Self(
      "device with a space",
      machine("blue-9") { $0.attachment = .networkNamespace(name: "x", device: "eth 0") },
      path: "spec.attachment.device", says: "printable"),
    Self(
      "device of another VM",
      machine("blue-9") { $0.attachment = .networkNamespace(name: "ananta-blue-1", device: "eth0") },
      path: "spec.attachment", says: "belongs to VirtualMachine/blue-1"),
    Self(
      "to another network than its service's",
      machine("blue-1") { ($0.network, $0.dip) = ("green", ip("10.9.0.1")) },
      path: "spec.network", says: "Service/blue would have VMs of several networks, blue and green"),
    Self(
      "a host that becomes a MUX in the same request",
      .apply([
        node("host9") { ($0.roles, $0.locators) = ([.mux], nil) }, machine("blue-9") { $0.host = "host9" },
      ]),
      [(ResourceKey(.virtualMachine, "blue-9"), "spec.host", "role host")]),
  ]

  static let deletions = [
    Self(
      "a node with a VM", .delete([ResourceKey(.node, "host1")]),
      [
        (ResourceKey(.node, "host1"), "metadata.name", "VirtualMachine/blue-1 names it in spec.host"),
        (ResourceKey(.node, "host1"), "metadata.name", "VirtualMachine/green-1 names it in spec.host"),
      ]),
    Self(
      "a network with a VM", .delete([ResourceKey(.virtualNetwork, "green")]),
      [
        (
          ResourceKey(.virtualNetwork, "green"), "metadata.name",
          "VirtualMachine/green-1 names it in spec.network"
        )
      ]),
    Self(
      "a backend", .delete([ResourceKey(.virtualMachine, "blue-2")]),
      [
        (
          ResourceKey(.virtualMachine, "blue-2"), "metadata.name",
          "Service/blue names it in spec.endpoints[0].backends[1].vm"
        )
      ]),
    Self(
      "a VM that leaves by a VIP", .delete([ResourceKey(.virtualMachine, "green-1")]),
      [
        (ResourceKey(.virtualMachine, "green-1"), "metadata.name", "spec.endpoints[0].backends[0].vm"),
        (ResourceKey(.virtualMachine, "green-1"), "metadata.name", "Service/green names it in spec.snat[0]"),
      ]),
    Self(
      "what is not there", .delete([ResourceKey(.service, "red")]),
      [(ResourceKey(.service, "red"), "metadata.name", "there is no Service/red")]),
    Self(
      "the same twice", .delete([ResourceKey(.service, "blue"), ResourceKey(.service, "blue")]),
      [(ResourceKey(.service, "blue"), "metadata.name", "given twice")]),
    Self(
      "too many", .delete((0...10_000).map { ResourceKey(.service, "s\($0)") }),
      [(ResourceKey(.service, "s0"), "", "at most 10000")]),
  ]
}
