import Control
import Manifest
import Testing
import Wire

@Suite struct AgentConfigurationTests {
  private static let head = """
    node: mux1
    address: 10.1.1.2
    managers: [10.1.1.2:4600]
    security: plaintext
    dataDirectory: /var/lib/ananta

    """

  @Test func everythingSaid() throws {
    let text =
      Self.head + """
        roles: [mux, manager]
        mux:
          workers: 2
          mtu: 9000
          bgp:
            localAS: 65001
            routerID: 10.1.1.9
            holdTime: 30s
            connectRetry: 500ms
            neighbors:
              - {address: 10.1.1.1, remoteAS: 4200000000, port: 1179, password: 12345}
        manager: {listen: 10.1.1.2:4600}
        """
    let expected = AgentConfiguration(
      node: "mux1", address: IPv4Address(10, 1, 1, 2), roles: [.manager, .mux],
      managers: [ManagerAddress(host: "10.1.1.2", port: 4600)], security: .plaintext,
      dataDirectory: "/var/lib/ananta",
      mux: MuxConfiguration(
        workers: 2, mtu: 9000,
        bgp: BGPConfiguration(
          localAS: 65001, routerID: IPv4Address(10, 1, 1, 9), holdTimeSeconds: 30,
          connectRetryMilliseconds: 500,
          neighbors: [
            BGPNeighbor(
              address: IPv4Address(10, 1, 1, 1), remoteAS: 4_200_000_000, port: 1179, password: "12345")
          ])),
      manager: ManagerConfiguration(listen: ManagerAddress(host: "10.1.1.2", port: 4600)))
    #expect(try AgentConfiguration.read(text, file: "f") == expected)
  }

  @Test func defaults() throws {
    let text =
      Self.head
      + "roles: [mux, host]\nmux: {bgp: {localAS: 1, neighbors: [{address: 10.1.1.1, remoteAS: 2}]}}"
    let configuration = try AgentConfiguration.read(text, file: "f")
    #expect(configuration.host == HostConfiguration(workers: 1, mtu: 1500))
    #expect(configuration.manager == nil)
    #expect(configuration.mux?.workers == nil)
    #expect(configuration.mux?.mtu == 1500)
    #expect(configuration.mux?.bgp.routerID == IPv4Address(10, 1, 1, 2))
    #expect(configuration.mux?.bgp.holdTimeSeconds == 9)
    #expect(configuration.mux?.bgp.connectRetryMilliseconds == 5000)
    #expect(configuration.mux?.bgp.neighbors.first?.port == 179)
  }

  @Test func securityByCertificates() throws {
    let text =
      Self.head.replacing(
        "security: plaintext",
        with: "security:\n  tls:\n    ca: /p/ca.crt\n    certificate: /p/mux1.crt\n    key: /p/mux1.key")
      + "roles: [host]"
    let configuration = try AgentConfiguration.read(text, file: "f")
    #expect(
      configuration.security
        == .tls(authority: "/p/ca.crt", certificate: "/p/mux1.crt", key: "/p/mux1.key"))
  }

  @Test func uplinks() throws {
    let text = Self.head + "roles: [host]\nhost: {workers: 2, uplinks: [bond0, eth3]}"
    let configuration = try AgentConfiguration.read(text, file: "f")
    #expect(configuration.host == HostConfiguration(workers: 2, mtu: 1500, uplinks: ["bond0", "eth3"]))
  }

  @Test(arguments: [
    Rejected("", "1:1: is empty; it must be the agent's configuration"),
    Rejected("a: 1\n---\nb: 1", "3:1: a second document begins; one is expected"),
    Rejected(
      head.replacing("security: plaintext\n", with: "") + "roles: [host]",
      "1:1: security: is missing; it must be plaintext, or tls with ca, certificate and key"),
    Rejected(
      head.replacing("plaintext", with: "none") + "roles: [host]",
      "4:11: security: must be plaintext, or tls with ca, certificate and key, not none"),
    Rejected(
      head.replacing("plaintext", with: "tls") + "roles: [host]",
      "4:11: security: must be plaintext, or tls with ca, certificate and key, not tls"),
    Rejected(
      head.replacing("plaintext", with: "{}") + "roles: [host]",
      "4:11: security.tls: is missing; it must be a mapping"),
    Rejected(
      head.replacing("plaintext", with: "{tls: {ca: /ca.crt, certificate: node.crt, keys: /k}}")
        + "roles: [host]",
      "4:17: security.tls.key: is missing; it must be an absolute path",
      "4:44: security.tls.certificate: must be an absolute path, not node.crt",
      "4:54: security.tls.keys: unknown key; did you mean key?"),
    Rejected(
      head + "roles: [host]\nmux: {}", "7:6: mux: is of no use, since roles do not name mux"),
    Rejected(head + "roles: [mux]", "1:1: mux: is missing; it must be a mapping"),
    Rejected(
      head + "roles: [manager]\nmanager: {listen: 4600}",
      "7:19: manager.listen: must be an address and a port such as 10.1.1.2:4600, not 4600"),
    Rejected(
      head.replacing("[10.1.1.2:4600]", with: "[]") + "roles: [host]",
      "3:11: managers: must have at least one element"),
    Rejected(
      head.replacing("/var/lib/ananta", with: "var") + "roles: [host]",
      "5:16: dataDirectory: must be an absolute path, not var"),
    Rejected(
      head + "roles: [host]\nhost: {uplinks: [eth0, eth0]}", "7:17: host.uplinks: names a device twice"),
    Rejected(
      head + "roles: [host]\nhost: {uplinks: [a/b]}",
      "7:18: host.uplinks[0]: must be an interface name of at most 15 bytes, not a/b"),
    Rejected(
      head + "roles: [host]\nhost: {workers: 0, mtu: 100}",
      "7:17: host.workers: must be a whole number from 1 to 128, not 0",
      "7:25: host.mtu: must be a whole number from 596 to 65535, not 100"),
    Rejected(
      head
        + "roles: [mux]\nmux: {bgp: {localAS: 0, holdTime: 2s, neighbors: [{address: 10.1.1.1, remoteAS: 23456}]}}",
      "7:22: mux.bgp.localAS: must be an autonomous system from 1 to 4294967294, not 0",
      "7:35: mux.bgp.holdTime: must be 0s or whole seconds from 3s to 65535s, not 2s",
      "7:81: mux.bgp.neighbors[0].remoteAS: must be an autonomous system from 1 to 4294967294, not 23456"),
    Rejected(
      head + "roles: [mux]\nmux: {bgp: {localAS: 1, neighbors: [{address: 10.1.1.1, remoteAS: 2}, "
        + "{address: 10.1.1.1, remoteAS: 2}]}}",
      "7:36: mux.bgp.neighbors: names an address twice"),
  ]) func wrongOnes(_ row: Rejected) {
    do {
      _ = try AgentConfiguration.read(row.text, file: "f")
      Issue.record("was taken")
    } catch {
      #expect(error.errors.map(\.description) == row.errors.map { "f:\($0)" })
    }
  }

  @Test func durationsKeepTheirUnit() {
    for (text, milliseconds) in [
      ("0ms", 0), ("500ms", 500), ("2s", 2000), ("4m", 240_000), ("24h", 86_400_000),
    ] {
      #expect(DurationText.milliseconds(text) == milliseconds)
      #expect(DurationText.text(milliseconds: milliseconds) == text)
    }
    for text in [
      "", "s", "5", "-1s", "1.5s", " 1s", "1s ", "25h", "1d", "1 s", "99999999999999999999s", "٣s",
    ] {
      #expect(DurationText.milliseconds(text) == nil, "\(text)")
    }
  }

  @Test func managerAddresses() {
    for text in ["10.1.1.2:4600", "manager-1.example:1", "localhost:65535"] {
      #expect(ManagerAddress(text)?.description == text)
    }
    for text in ["", "4600", ":4600", "a:", "a:0", "a:65536", "a:+1", "a b:1", "[::1]:4600", "a:1:2"] {
      #expect(ManagerAddress(text) == nil, "\(text)")
    }
  }
}
