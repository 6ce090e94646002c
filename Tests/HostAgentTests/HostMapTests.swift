import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Host map")
struct HostMapTests {
  static func machine(_ index: UInt32, _ locator: IPv4Address, mtu: Int = 1480) -> HostMap.Machine {
    .init(index: index, locator: locator, dip: dip, mtu: mtu)
  }

  @Test("Contradictions are refused, and named")
  func contradictions() {
    let good = Self.machine(0, locator1)
    let endpoint = Bench.endpoint(0, vip, .tcp, 80, 80)
    #expect(throws: HostMapError.repeatedIndex(0)) {
      try HostMap(muxes: [], machines: [good, Self.machine(0, locator2)], endpoints: [])
    }
    #expect(throws: HostMapError.repeatedLocator(locator1)) {
      try HostMap(muxes: [], machines: [good, Self.machine(1, locator1)], endpoints: [])
    }
    #expect(throws: HostMapError.indexTooBig(1024)) {
      try HostMap(muxes: [], machines: [Self.machine(1024, locator1)], endpoints: [])
    }
    #expect(throws: HostMapError.badMTU(locator1, 575)) {
      try HostMap(muxes: [], machines: [Self.machine(0, locator1, mtu: 575)], endpoints: [])
    }
    #expect(throws: HostMapError.unknownMachine(endpoint)) {
      try HostMap(muxes: [], machines: [], endpoints: [endpoint])
    }
    #expect(throws: HostMapError.repeatedEndpoint(endpoint)) {
      try HostMap(muxes: [], machines: [good], endpoints: [endpoint, endpoint])
    }
    let icmp = Bench.endpoint(0, vip, .icmp, 80, 80)
    #expect(throws: HostMapError.badProtocol(icmp)) {
      try HostMap(muxes: [], machines: [good], endpoints: [icmp])
    }
    let zero = Bench.endpoint(0, vip, .tcp, 80, 0)
    #expect(throws: HostMapError.zero(zero)) {
      try HostMap(muxes: [], machines: [good], endpoints: [zero])
    }
    #expect(throws: HostMapError.tooManyMuxes(1025)) {
      try HostMap(muxes: Array(repeating: mux, count: 1025), machines: [], endpoints: [])
    }
    #expect(HostMapError.badMTU(locator1, 575).description.contains("10.64.1.1"))
  }

  @Test("An agent without a map believes nobody")
  func empty() {
    var bench = Bench(HostMap.empty)
    #expect(bench.inbound(Packet.wrapped(Packet().bytes)).reason == .foreignSource)
    #expect(bench.outbound(Packet(source: dip).bytes).reason == .noFlow)
  }

  @Test("Flows live on when the map changes around them")
  func survives() {
    var bench = Bench(FlowTests.twins)
    FlowTests.open(&bench)
    let more = Bench.map(endpoints: [
      Bench.endpoint(3, vip2, .tcp, 80, 8080), Bench.endpoint(7, vip2, .tcp, 443, 443),
      Bench.endpoint(3, vip, .tcp, 80, 8080, idle: 5000),
    ])
    bench.agent.adopt(more)
    #expect(bench.outbound(FlowTests.answer(0x10)).tuple.source == vip)
    #expect(bench.agent.counters.flows.created == 1)
    bench.now += 5001
    #expect(bench.outbound(FlowTests.answer(0x10)).reason == .noFlow, "the new idle time-out counts")
  }

  @Test("Flows of an endpoint that is gone are dead, and stay so when it comes again")
  func dies() {
    var bench = Bench(FlowTests.twins)
    FlowTests.open(&bench)
    bench.agent.adopt(Bench.map(endpoints: [Bench.endpoint(3, vip2, .tcp, 80, 8080)]))
    #expect(bench.inbound(FlowTests.packet(0x10)).reason == .noEndpoint)
    bench.agent.adopt(FlowTests.twins)
    #expect(bench.outbound(FlowTests.answer(0x10)).reason == .noFlow)
    bench.agent.sweep(now: bench.now, budget: 4096)
    #expect(bench.agent.counters.flows.live == 0)
  }

  @Test("A VM that takes over an index inherits nothing")
  func reusedIndex() {
    var bench = Bench(FlowTests.twins)
    FlowTests.open(&bench)
    let successor = HostMap.Machine(index: 3, locator: locator2, dip: dip, mtu: 1480)
    let endpoints = [
      Bench.endpoint(3, vip, .tcp, 80, 8080), Bench.endpoint(3, vip2, .tcp, 80, 8080),
    ]
    bench.agent.adopt(Bench.map(machines: [successor], endpoints: endpoints))
    #expect(bench.outbound(FlowTests.answer(0x10)).reason == .noFlow)
    #expect(bench.agent.counters.machine(3).packetsIn == 0)
    #expect(bench.inbound(FlowTests.packet(0x10)).reason == .unknownLocator)
  }

  @Test("Numbers of endpoints that come and go do not run out")
  func churn() {
    var bench = Bench(HostMap.empty)
    for round in 0..<12 {
      let endpoints = (1...4000).map {
        Bench.endpoint(3, IPv4Address(203, 0, 113, UInt8(round + 1)), .tcp, UInt16($0), 8080)
      }
      bench.agent.adopt(Bench.map(endpoints: endpoints))
      for port in 1...200 {
        var packet = Packet(destinationPort: UInt16(port))
        packet.sourcePort = UInt16(round * 200 + port)
        packet.destination = IPv4Address(203, 0, 113, UInt8(round + 1))
        #expect(bench.inbound(Packet.wrapped(packet.bytes)).machine == 3)
      }
    }
  }
}
