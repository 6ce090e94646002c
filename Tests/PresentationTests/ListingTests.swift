import Control
import Presentation
import Testing
import Wire

/// The tables as operators see them, letter by letter.
@Suite struct ListingTests {
  private func table(_ subject: Subject, _ format: Listing.Format = .table) -> String {
    Listing(subject, of: SampleState.state).text(format)
  }

  @Test func nodes() {
    let narrow = """
      NAME       ROLES     ADDRESS     STATUS         REVISION
      host1      host      10.1.11.2   connected      14
      host2      host      10.1.12.2   disconnected   12 of 14
      manager1   manager   10.1.9.2    connected      -
      mux1       mux       10.1.1.2    connected      14
      mux2       mux       10.1.2.2    connected      14

      """
    let wide = """
      NAME       ROLES     ADDRESS     STATUS         REVISION   LOCATORS       PROBLEMS
      host1      host      10.1.11.2   connected      14         10.64.1.0/24   1
      host2      host      10.1.12.2   disconnected   12 of 14   10.64.2.0/24   -
      manager1   manager   10.1.9.2    connected      -          -              -
      mux1       mux       10.1.1.2    connected      14         -              -
      mux2       mux       10.1.2.2    connected      14         -              -

      """
    #expect(table(.nodes) == narrow)
    #expect(table(.nodes, .wide) == wide)
  }

  @Test func muxes() {
    let narrow = """
      NAME   ADDRESS    STATUS      REVISION   BGP   VIPS   PACKETS
      mux1   10.1.1.2   connected   14         1/1   1      700
      mux2   10.1.2.2   connected   14         0/1   0      500

      """
    let wide = """
      NAME   ADDRESS    STATUS      REVISION   BGP   VIPS   PACKETS   PATH                 PEERS                  PROBLEMS
      mux1   10.1.1.2   connected   14         1/1   1      700       tc on eth0           10.1.1.1 established   -
      mux2   10.1.2.2   connected   14         0/1   0      500       user space on eth0   10.1.2.1 connect       -

      """
    #expect(table(.muxes) == narrow)
    #expect(table(.muxes, .wide) == wide)
  }

  @Test func hosts() {
    let narrow = """
      NAME    ADDRESS     STATUS         REVISION   LOCATORS       VMS
      host1   10.1.11.2   connected      14         10.64.1.0/24   1
      host2   10.1.12.2   disconnected   12 of 14   10.64.2.0/24   1

      """
    let wide = """
      NAME    ADDRESS     STATUS         REVISION   LOCATORS       VMS   PATH   FLOWS   PROBLEMS
      host1   10.1.11.2   connected      14         10.64.1.0/24   1     -      3       1
      host2   10.1.12.2   disconnected   12 of 14   10.64.2.0/24   1     -      -       -

      """
    #expect(table(.hosts) == narrow)
    #expect(table(.hosts, .wide) == wide)
  }

  @Test func networks() {
    let narrow = """
      NAME   PREFIXES      VMS
      blue   10.0.0.0/24   2

      """
    let wide = """
      NAME   PREFIXES      VMS
      blue   10.0.0.0/24   2

      """
    #expect(table(.networks) == narrow)
    #expect(table(.networks, .wide) == wide)
  }

  @Test func vms() {
    let narrow = """
      NAME     NETWORK   DIP         HOST    LOCATOR
      blue-1   blue      10.0.0.11   host1   10.64.1.1
      blue-2   blue      10.0.0.12   host2   10.64.2.2

      """
    let wide = """
      NAME     NETWORK   DIP         HOST    LOCATOR     NETNS        DEVICE   TYPE   FLOWS
      blue-1   blue      10.0.0.11   host1   10.64.1.1   lab-blue-1   eth0     tun    3
      blue-2   blue      10.0.0.12   host2   10.64.2.2   lab-blue-2   eth0     tun    -

      """
    #expect(table(.vms) == narrow)
    #expect(table(.vms, .wide) == wide)
  }

  @Test func services() {
    let narrow = """
      NAME   VIP            PORTS           HEALTHY   ANNOUNCED
      blue   203.0.113.10   80/tcp,53/udp   2/3       yes

      """
    let wide = """
      NAME   VIP            PORTS           HEALTHY   ANNOUNCED   SNAT            FASTPATH
      blue   203.0.113.10   80/tcp,53/udp   2/3       yes         blue-1,blue-2   off

      """
    #expect(table(.services) == narrow)
    #expect(table(.services, .wide) == wide)
  }

  @Test func endpoints() {
    let narrow = """
      SERVICE   ENDPOINT   ADDRESS               HEALTHY
      blue      http       203.0.113.10:80/tcp   1/2
      blue      udp-53     203.0.113.10:53/udp   1/1

      """
    let wide = """
      SERVICE   ENDPOINT   ADDRESS               HEALTHY   BACKENDPORT   AFFINITY               IDLE   PROBE
      blue      http       203.0.113.10:80/tcp   1/2       8080          fiveTuple              4m     http /healthz :8080 every 2s
      blue      udp-53     203.0.113.10:53/udp   1/1       53            sourceAndDestination   1m     -

      """
    #expect(table(.endpoints) == narrow)
    #expect(table(.endpoints, .wide) == wide)
  }

  @Test func backends() {
    let narrow = """
      SERVICE   ENDPOINT   VM       WEIGHT   HEALTH      PACKETS
      blue      http       blue-1   1        healthy     1200
      blue      http       blue-2   3        unhealthy   -
      blue      udp-53     blue-1   1        unprobed    -

      """
    let wide = """
      SERVICE   ENDPOINT   VM       WEIGHT   HEALTH      PACKETS   LOCATOR     CONNECTIONS   BYTES    REASON
      blue      http       blue-1   1        healthy     1200      10.64.1.1   120           120000   -
      blue      http       blue-2   3        unhealthy   -         10.64.2.2   -             -        status 503
      blue      udp-53     blue-1   1        unprobed    -         10.64.1.1   -             -        -

      """
    #expect(table(.backends) == narrow)
    #expect(table(.backends, .wide) == wide)
  }

  @Test func snat() {
    let narrow = """
      VIP            SERVICE   VM       ALLOCATED   INUSE   FREE    REQUESTS   REFUSED   WAITP99
      203.0.113.10   blue      -        16          17      64496   4          1         16ms
      203.0.113.10   blue      blue-1   16          17      7       4          1         16ms
      203.0.113.10   blue      blue-2   0           -       -       -          -         -
      203.0.113.11   blue      -        8           -       64488   -          -         -
      203.0.113.11   blue      blue-1   8           -       -       -          -         -

      """
    let wide = """
      VIP            SERVICE   VM       ALLOCATED   INUSE   FREE    REQUESTS   REFUSED   WAITP99   RECALLED   ORPHANED   CONNECTIONS   HELD   DROPPED   WAITP50   LOCATOR
      203.0.113.10   blue      -        16          17      64496   4          1         16ms      0          0          60            2      9         -         -
      203.0.113.10   blue      blue-1   16          17      7       4          1         16ms      0          -          60            2      9         2.04ms    10.64.1.1
      203.0.113.10   blue      blue-2   0           -       -       -          -         -         0          -          -             -      -         -         10.64.2.2
      203.0.113.11   blue      -        8           -       64488   -          -         -         8          16         -             -      -         -         -
      203.0.113.11   blue      blue-1   8           -       -       -          -         -         8          -          -             -      -         -         10.64.1.1

      """
    #expect(table(.snat) == narrow)
    #expect(table(.snat, .wide) == wide)
  }
  @Test func sumsOfPorts() {
    var state = SampleState.state
    var second = state.nodes[0].statistics?.ports ?? []
    second[0].locator = IPv4Address(10, 64, 2, 2)
    second[0].requests = .max
    second[0].held = .max
    second[0].waitMicrosecondsP99 = 5
    // What a node says of another's VM counts nothing, wherever it stands.
    let forged = PortStatus(
      locator: IPv4Address(10, 64, 1, 1), ranges: 1 << 20, portsInUse: 1, flows: 1, held: 1, requests: 1,
      refused: 1, dropped: 1, waitMicrosecondsP50: 1, waitMicrosecondsP99: 1)
    state.nodes[1].statistics = NodeStatistics(
      bgp: [], counters: [], problems: [], ports: [forged] + second)
    let lines = Listing(.snat, of: state).text(.wide).split(separator: "\n")
    let cells = lines.map { $0.split(separator: " ").map(String.init) }
    #expect(
      cells[1] == [
        "203.0.113.10", "blue", "-", "16", "34", "64496", "18446744073709551615", "2", "16ms", "0", "0",
        "120", "9223372036854775807", "18", "-", "-",
      ])
    #expect(cells[2].contains("17") && cells[2].contains("60"))
  }
}
