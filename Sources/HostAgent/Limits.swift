/// The maxima of a host agent, each with its reason.
enum Limits {
  /// VMs of one host; a flow record names its VM in 10 bits.
  static var machines: Int { 1024 }
  /// Endpoints of all VMs of one host; a flow record names its endpoint in 16 bits, and 0 means none.
  ///
  /// 1,024 VMs with 15 endpoints each.
  static var endpoints: Int { 16_383 }
  /// MUXes of a data centre: as many as a manager takes nodes.
  static var muxes: Int { 1024 }
  /// Flows of one worker unless told otherwise: 4 MB, which the caches of a server core still help with.
  static var flows: Int { 262_144 }
  /// Flows of one worker at most: 1 GB.
  static var mostFlows: Int { 67_108_864 }
  /// Changes of flows that wait until the worker has told the kernel: those of some batches of 64 packets.
  ///
  /// What finds no room is tried again by the flow's next packet or the next sweep.
  static var changes: Int { 1024 }
  /// How long a flow may be silent that has not shown a complete handshake, in milliseconds.
  ///
  /// A SYN that was answered and not acknowledged for 10 s belongs to a flood or to a client that is gone.
  static var halfOpenMilliseconds: UInt32 { 10_000 }
  /// How long a flow may be silent after a RST or both FINs, in milliseconds; lets the last segments pass.
  static var closedMilliseconds: UInt32 { 10_000 }
  /// The longest idle time-out, in milliseconds: 12 days, half of what a 32-bit clock can tell apart.
  static var idleMilliseconds: UInt32 { 1 << 30 }
  /// The smallest MTU of a VM's device: every IPv4 host takes datagrams of 576 bytes (RFC 791 §3.1).
  static var smallestMTU: Int { 576 }
  /// The largest MTU of a VM's device: what the total length can say, less the outer header.
  static var largestMTU: Int { 65_515 }
  /// Probes of one host: one per endpoint.
  static var probes: Int { endpoints }
  /// Bytes of an answer to an HTTP probe before its status line must be complete.
  ///
  /// A version, a code and a reason phrase; servers write less than 100 bytes.
  static var statusLineBytes: Int { 1024 }
  /// Bytes of the path of an HTTP probe; longer ones do not fit into one segment with the other header lines.
  static var probePathBytes: Int { 1024 }
  /// Packets of one worker that wait for ports: 512 KB.
  static var heldPackets: Int { 256 }
  /// Of them, packets of one VM: a burst of new connections; what comes later is sent again by its sender.
  static var heldPacketsPerMachine: Int { 32 }
  /// Bytes of one of them: a first packet is a SYN or a datagram of one Ethernet frame.
  static var heldByteCount: Int { 2048 }
  /// How long a packet waits, in milliseconds: its sender has sent it again by then.
  static var heldMilliseconds: UInt32 { 3_000 }
  /// Ranges of all VMs of one worker: a million ports.
  static var leases: Int { 131_072 }
  /// Pages of 32 ranges: twice what is needed when they are full, 1,024 VMs have some that are not.
  static var portPages: Int { 8_192 }
  /// Pages of one VM: 8,064 ranges are all of a VIP.
  static var pagesPerMachine: Int { 252 }
  /// Chains of leases by range: four in each when the table is full.
  static var leaseHeads: Int { 32_768 }
  /// Destinations' blocks that are remembered, 64 bytes each: 196 serve 50,000 flows to 4 remote ends.
  static var portBlocks: Int { 4_096 }
  /// Blocks that one packet makes at most, each with at most 256 looks for a flow: about a millisecond.
  ///
  /// They cover 16,384 ports. The packet of a VM with more, all of them taken there, waits as if there were none
  /// free; what it has made stays, and the next one goes on from there.
  static var portBlockBuilds: Int { 64 }
  /// How long a TCP connection by a leased port may be silent, in milliseconds: four minutes, as inbound.
  static var portTCPMilliseconds: UInt32 { 240_000 }
  /// The same of UDP: most are a question and its answer.
  static var portUDPMilliseconds: UInt32 { 60_000 }
  /// The same of ICMP echo: not less than RFC 5508 §3.2 asks for.
  static var portEchoMilliseconds: UInt32 { 60_000 }
  /// How long a range has no flow before it goes back, in milliseconds.
  static var idleRangeMilliseconds: UInt32 { 60_000 }
  /// How long flows of a recalled range may go on, in milliseconds: as long as a silent one would.
  static var recallMilliseconds: UInt32 { 240_000 }
  /// After which time without an answer a request is made again, or a returned range returned, in milliseconds.
  static var repeatMilliseconds: UInt32 { 5_000 }
  /// How old a place in the list of half-open and closed connections is when a packet renews it, in milliseconds: a
  /// tenth of the time that they live.
  static var refreshMilliseconds: UInt32 { 1_000 }
  /// Half-open and closed connections that are looked at when one begins: four end for each, so none gather.
  static var shortFlowsPerOpening: Int { 4 }
  /// Pages of ranges that one sweep looks at: all 8,192 in 41 s, at 20 ms from one sweep to the next at most.
  static var pagesPerSweep: Int { 4 }
  /// VMs whose requests one sweep looks at: all 1,024 in 0.64 s, at 20 ms from one sweep to the next at most.
  static var requestsPerSweep: Int { 32 }
  /// Connections by leased ports of one worker at most: 64 bytes each, 256 MB.
  static var mostPortFlows: Int { 4_194_304 }
}
