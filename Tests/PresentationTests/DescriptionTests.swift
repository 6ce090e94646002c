import Control
import Presentation
import Testing

/// Descriptions as operators see them, letter by letter.
@Suite struct DescriptionTests {
  private let description = Description(of: SampleState.state)

  @Test func aHost() {
    let text = """
      Name:           host1
      Kind:           Node
      Roles:          host
      Address:        10.1.11.2
      Locators:       10.64.1.0/24
      Status:         connected
      Revision:       14
      Problem:        net.ipv4.ip_forward is 0 and cannot be set
      VMs:
        NAME     NETWORK   DIP         LOCATOR     FLOWS   PACKETS
        blue-1   blue      10.0.0.11   10.64.1.1   3       in 1200, out 1100
      Drops:
        ROLE   REASON       PACKETS
        host   unknownMux   2

      """
    #expect(description.text(.nodes, "host1") == text)
  }

  @Test func aMux() {
    let text = """
      Name:           mux1
      Kind:           Node
      Roles:          mux
      Address:        10.1.1.2
      Status:         connected
      Revision:       14
      Forwarding:
        ROLE   DEVICE   PATH   WHY NOT A FASTER ONE
        mux    eth0     tc     -
      BGP sessions:
        PEER       STATE         SINCE   ANNOUNCED
        10.1.1.1   established   61s     1
      Backends:
        SERVICE   ENDPOINT   VM       PACKETS   BYTES   CONNECTIONS
        blue      http       blue-1   700       70000   70

      """
    #expect(description.text(.muxes, "mux1") == text)
  }

  @Test func aVM() {
    let text = """
      Name:           blue-1
      Kind:           VirtualMachine
      Network:        blue
      DIP:            10.0.0.11
      Host:           host1
      Locator:        10.64.1.1
      Attachment:     tun device eth0 in network namespace lab-blue-1
      SNAT:           203.0.113.10 (blue)
      Leased ports:   16 of 203.0.113.10; 8 of 203.0.113.11, 8 recalled
      Ports in use:   17, by 60 connections
      Port requests:  4, 1 refused; answered after 2.04ms (p50), 16ms (p99)
      Without port:   2 packets wait, 9 dropped
      Flows:          3
      Packets:        in 1200, out 1100
      Bytes:          in 96000
      Serves:
        SERVICE   ENDPOINT   ADDRESS               WEIGHT   HEALTH     REASON
        blue      http       203.0.113.10:80/tcp   1        healthy    -
        blue      udp-53     203.0.113.10:53/udp   1        unprobed   -

      """
    #expect(description.text(.vms, "blue-1") == text)
  }

  @Test func aNetwork() {
    let text = """
      Name:           blue
      Kind:           VirtualNetwork
      Prefixes:       10.0.0.0/24
      VMs:
        NAME     DIP         HOST    LOCATOR
        blue-1   10.0.0.11   host1   10.64.1.1
        blue-2   10.0.0.12   host2   10.64.2.2

      """
    #expect(description.text(.networks, "blue") == text)
  }

  @Test func aService() {
    let text = """
      Name:           blue
      Kind:           Service
      VIP:            203.0.113.10 (announced)
      SNAT:           blue-1, blue-2
      SNAT VIPs:      203.0.113.11
      SNAT ports:     at most 16000 for each VM
      FastPath:       off
      Endpoint http:
        Address:      203.0.113.10:80/tcp
        Backend port: 8080
        Affinity:     fiveTuple
        Idle timeout: 4m
        Probe:        http /healthz :8080 every 2s, timeout 1s, threshold 2
        Backends:
          VM       LOCATOR     WEIGHT   HEALTH      PACKETS   BYTES    CONNECTIONS   REASON
          blue-1   10.64.1.1   1        healthy     1200      120000   120           -
          blue-2   10.64.2.2   3        unhealthy   -         -        -             status 503
      Endpoint udp-53:
        Address:      203.0.113.10:53/udp
        Backend port: 53
        Affinity:     sourceAndDestination
        Idle timeout: 1m
        Probe:        none, backends count as healthy
        Backends:
          VM       LOCATOR     WEIGHT   HEALTH     PACKETS   BYTES   CONNECTIONS   REASON
          blue-1   10.64.1.1   1        unprobed   -         -       -             -
      Leased ports:
        VIP            VM       ALLOCATED   RECALLED   IN USE   CONNECTIONS   REQUESTS   REFUSED   WAIT P99   HELD   DROPPED
        203.0.113.10   blue-1   16          0          17       60            4          1         16ms       2      9
        203.0.113.10   blue-2   0           0          -        -             -          -         -          -      -
        203.0.113.11   blue-1   8           8          -        -             -          -         -          -      -

      """
    #expect(description.text(.services, "blue") == text)
  }

  @Test func aVIP() {
    let text = """
      VIP:            203.0.113.11
      Service:        blue
      Announced:      yes
      Each VM:        at most 16000 ports
      Ports:          64512
      Allocated:      8
      Recalled:       8
      Orphaned:       16
      Free:           64488
      Leased ports:
        VIP            VM       ALLOCATED   RECALLED   IN USE   CONNECTIONS   REQUESTS   REFUSED   WAIT P99   HELD   DROPPED
        203.0.113.11   blue-1   8           8          -        -             -          -         -          -      -

      """
    #expect(description.text(.snat, "203.0.113.11") == text)
    let first = description.text(.snat, "203.0.113.10") ?? ""
    #expect(
      first.contains("\nEndpoints:      80/tcp, 53/udp\nPorts:          64512\nAllocated:      16\nFree: "))
  }

  @Test func endpointsAreDescribedWithTheirService() {
    #expect(description.text(.endpoints, "blue/http") == description.text(.services, "blue"))
    #expect(description.text(.backends, "blue") == description.text(.services, "blue"))
  }

  @Test(arguments: [
    (Subject.nodes, "host9"), (.muxes, "host1"), (.hosts, "mux1"), (.vms, "blue"), (.networks, "blue-1"),
    (.services, "green"), (.snat, "203.0.113.20"), (.all, "blue"),
  ]) func nothingOfThatName(subject: Subject, name: String) {
    #expect(description.text(subject, name) == nil)
  }
}
