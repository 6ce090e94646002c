import Control

extension ValidationCase {
  static let nodes = [
    Self("empty name", node("") { _ in }, path: "metadata.name", says: "empty"),
    Self("capital letter", node("Host9"), path: "metadata.name", says: "lower-case"),
    Self("underscore", node("host_9"), path: "metadata.name", says: "lower-case"),
    Self("leading dash", node("-host9"), path: "metadata.name", says: "begin or end"),
    Self("trailing dash", node("host9-"), path: "metadata.name", says: "begin or end"),
    Self(
      "64 characters", node(String(repeating: "a", count: 64)), path: "metadata.name", says: "at most 63"),
    Self("not ASCII", node("höst"), path: "metadata.name", says: "lower-case"),
    Self(
      "address of another node", node("host1") { $0.address = ip("10.1.12.2") }, path: "spec.address",
      says: "Node/host2 already"),
    Self(
      "address 0/8", node("host1") { $0.address = ip("0.0.0.0") }, path: "spec.address", says: "this network"),
    Self("loopback", node("host1") { $0.address = ip("127.0.0.1") }, path: "spec.address", says: "loopback"),
    Self(
      "multicast", node("host1") { $0.address = ip("224.0.0.5") }, path: "spec.address", says: "multicast"),
    Self("class E", node("host1") { $0.address = ip("250.0.0.1") }, path: "spec.address", says: "reserved"),
    Self(
      "broadcast", node("host1") { $0.address = ip("255.255.255.255") }, path: "spec.address",
      says: "broadcast"),
    Self(
      "link-local", node("host1") { $0.address = ip("169.254.169.1") }, path: "spec.address",
      says: "link-local"),
    Self(
      "address is a VIP", node("host1") { $0.address = ip("203.0.113.10") }, path: "spec.address",
      says: "VIP of Service/blue"),
    Self(
      "address within another's locators", node("host1") { $0.address = ip("10.64.2.9") },
      path: "spec.address",
      says: "locators 10.64.2.0/24 of Node/host2"),
    Self(
      "address within its own locators", node("host1") { $0.address = ip("10.64.1.9") }, path: "spec.address",
      says: "locators 10.64.1.0/24 of Node/host1"),
    Self("no roles", node("mux1") { $0.roles = [] }, path: "spec.roles", says: "at least one"),
    Self(
      "role twice", node("mux1") { $0.roles = [.mux, .mux] }, path: "spec.roles[1]",
      says: "mux is given twice"),
    Self(
      "host without locators", node("host1") { $0.locators = nil }, path: "spec.locators", says: "missing"),
    Self(
      "MUX with locators", node("mux1") { $0.locators = prefix("10.64.9.0/24") }, path: "spec.locators",
      says: "only a host"),
    Self(
      "overlapping locators", node("host9") { $0.locators = prefix("10.64.2.128/25") }, path: "spec.locators",
      says: "overlaps the locators 10.64.2.0/24 of Node/host2"),
    Self(
      "locators around another's", node("host9") { $0.locators = prefix("10.64.0.0/15") },
      path: "spec.locators", says: "of Node/host1",
      and: [("spec.locators", "of Node/host2")]),
    Self(
      "locators hold a node's address", node("host9") { $0.locators = prefix("10.1.12.0/24") },
      path: "spec.locators", says: "10.1.12.2, the address of Node/host2"),
    Self(
      "locators hold a VIP", node("host9") { $0.locators = prefix("203.0.113.0/28") }, path: "spec.locators",
      says: "203.0.113.10, the VIP of Service/blue"),
    Self(
      "locators too short", node("host9") { $0.locators = prefix("64.0.0.0/7") }, path: "spec.locators",
      says: "between /8 and /30"),
    Self(
      "locators too long", node("host9") { $0.locators = prefix("10.64.9.0/31") }, path: "spec.locators",
      says: "between /8 and /30"),
    Self(
      "multicast locators", node("host9") { $0.locators = prefix("230.0.0.0/24") }, path: "spec.locators",
      says: "multicast"),
    Self(
      "locators too few for the VMs there",
      .apply(Self.crowd(3) + [node("host9") { $0.locators = prefix("10.64.9.0/30") }]),
      [(ResourceKey(.virtualMachine, "crowd-2"), "spec.host", "room for 2 VMs")]),
  ]

  /// VMs on host9.
  static func crowd(_ count: Int) -> [Resource] {
    (0..<count).map { index in
      machine("crowd-\(index)") {
        $0.host = "host9"
        $0.dip = ip("10.0.0.\(100 + index)")
      }
    }
  }

  static let roles = [
    Self(
      "a host with VMs becomes a MUX", node("host1") { ($0.roles, $0.locators) = ([.mux], nil) },
      path: "spec.roles", says: "VirtualMachine/blue-1 and 1 more is hosted here"),
    Self(
      "two new nodes with one address: the later is to blame",
      node("host8") { $0.locators = prefix("10.64.98.0/24") },
      node("host9"), path: "spec.address", says: "Node/host8 already"),
    Self(
      "two new nodes with one prefix: the later is to blame", node("host8") { $0.address = ip("10.1.98.2") },
      node("host9"), path: "spec.locators", says: "of Node/host8"),
  ]
}
