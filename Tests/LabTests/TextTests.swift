import Testing
import Wire

@testable import Lab

/// The texts that the lab writes for others to read.
@Suite("Texts")
struct TextTests {
  let topology: Topology

  init() throws { topology = try TopologyReader.read(text: TopologyTests.good, file: "good.yaml") }

  @Test func agentOfAMUXThatIsManager() {
    let configuration = AgentConfiguration(
      machine: topology.machines[0], topology: topology, dataDirectory: "/var/lib/lab",
      certificates: LabCertificates(directory: "/pki"))
    #expect(
      configuration.text == """
        node: mux1
        address: 10.1.1.2
        roles: [manager, mux]
        managers: [10.1.1.2:4600]
        dataDirectory: /var/lib/lab
        security: plaintext
        mux:
          mtu: 1500
          path: auto
          bgp:
            localAS: 65001
            holdTime: 9s
            connectRetry: 1s
            neighbors:
              - {address: 10.1.1.1, remoteAS: 65000}
        manager:
          listen: 10.1.1.2:4600

        """)
  }

  @Test func agentsAndOperatorsHaveCertificates() {
    var topology = topology
    topology.security = .tls
    let certificates = LabCertificates(directory: "/pki")
    let configuration = AgentConfiguration(
      machine: topology.machines[1], topology: topology, dataDirectory: "/var/lib/lab",
      certificates: certificates)
    #expect(
      configuration.text.hasPrefix(
        """
        node: host1
        address: 10.1.11.2
        roles: [host]
        managers: [10.1.1.2:4600]
        dataDirectory: /var/lib/lab
        security:
          tls:
            ca: /pki/ca.crt
            certificate: /pki/host1.crt
            key: /pki/host1.key

        """))
    #expect(
      certificates.environment(of: "observer")
        == ["ANANTA_CA=/pki/ca.crt", "ANANTA_CERTIFICATE=/pki/observer.crt", "ANANTA_KEY=/pki/observer.key"])
  }

  @Test func manifests() {
    let writer = ManifestWriter(lab: "try", topology: topology)
    #expect(
      writer.fabric == """
        kind: Node
        metadata: {name: mux1}
        spec:
          address: 10.1.1.2
          roles: [manager, mux]
        ---
        kind: Node
        metadata: {name: host1}
        spec:
          address: 10.1.11.2
          roles: [host]
          locators: 10.64.1.0/24
        ---
        kind: VirtualNetwork
        metadata: {name: blue}
        spec:
          prefixes: [10.0.0.0/24]
        ---
        kind: VirtualMachine
        metadata: {name: blue-1}
        spec:
          network: blue
          dip: 10.0.0.11
          host: host1
          attachment: {netns: try-blue-1, device: eth0}

        """)
    #expect(
      writer.services == """
        kind: Service
        metadata: {name: web}
        spec:
          vip: 203.0.113.10
          endpoints:
            - name: tcp-80
              protocol: tcp
              port: 80
              backendPort: 8080
              affinity: fiveTuple
              idleTimeout: 240000ms
              backends:
                - {vm: blue-1, weight: 1}
              probe:
                tcp: {}
                port: 8080
                interval: 2000ms
                timeout: 1000ms
                threshold: 2

        """)
  }

  @Test func routerHearsMUXLinksOnly() {
    let text = RouterDaemons(topology: topology, directory: "/x").bgpConfiguration
    #expect(text.contains(" bgp listen range 10.1.1.0/24 peer-group MUX\n"))
    #expect(!text.contains("10.1.11.0"))
    #expect(text.contains("ip prefix-list VIPS seq 5 permit 203.0.113.0/24 ge 32 le 32\n"))
    #expect(text.contains(" bgp graceful-restart-disable\n"))
  }

  @Test(
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nblue-1\n", "200 blue-1"),
      ("HTTP/1.1 200 OK\r\ncontent-length:7\r\nA: b\r\n\r\nblue-1\n", "200 blue-1"),
      ("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "503 "),
      ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nblue", nil),
      ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n", nil),
      ("HTTP/1.1 200 OK\r\n\r\nblue", nil),
      ("", nil),
    ] as [(String, String?)])
  func replies(text: String, whole: String?) {
    var reply = HTTPReply()
    // In pieces, as a network delivers it.
    let bytes = Array(text.utf8)
    let isTaken = [reply.append(Array(bytes.prefix(9))), reply.append(Array(bytes.dropFirst(9)))]
    #expect(isTaken == [true, true])
    #expect(reply.whole.map { "\($0.status) \($0.body)" } == whole)
  }

  @Test func repliesAreBounded() {
    var reply = HTTPReply()
    let isTaken = [reply.append([UInt8](repeating: 65, count: Limits.replyBytes)), reply.append([65])]
    #expect(isTaken == [true, false])
  }

  @Test func columns() {
    var table = TextTable(["A", "LONG", "C"])
    table.add(["wide", "x", "y"])
    #expect(table.text == "A     LONG  C\nwide  x     y\n")
  }
}
