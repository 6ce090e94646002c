/// The most of everything that a data centre's description may hold.
public enum Limits {
  /// Octets of a name: a DNS label (RFC 1035, section 2.3.4), so that names can stand in host names and
  /// labels.
  public static let nameLength = 63
  /// Octets of a device's name: Linux keeps 16 with the closing zero (`IFNAMSIZ`).
  public static let deviceNameLength = 15
  /// Octets of a network namespace's name: it is a file name in `/run/netns`.
  public static let namespaceNameLength = 255
  /// Nodes: every committed revision is sent to each of them, so their number bounds the manager's traffic.
  public static let nodes = 1024
  /// Virtual networks: one for each VM would be the most anybody could use.
  public static let networks = 65_536
  /// VMs: 1,024 hosts of 64 VMs each; at some 300 bytes a VM that is 20 MB of state.
  public static let machines = 65_536
  /// Services: the published MUX holds 20,000 endpoints in 1 GB (Ananta, section 4).
  public static let services = 20_000
  /// Prefixes of one virtual network: they are compared pair by pair.
  public static let prefixesPerNetwork = 64
  /// Endpoints of one service: one change of a service may send each of them to every MUX in one message.
  public static let endpointsPerService = 128
  /// Backends of one endpoint: a look-up table of 65,537 slots gives 1,024 backends 64 slots each, which
  /// keeps their shares within about 2 % (Maglev, section 3.4).
  public static let backendsPerEndpoint = 1024
  /// VMs that leave by one VIP: its 64,512 ports are 8,064 ranges of 8, a few for each VM.
  public static let snatPerService = 1024
  /// VIPs of one service besides its first, whose ports its VMs get too: a million ports.
  public static let snatVIPsPerService = 16
  /// The lowest port that is leased: those below are the system's (RFC 6335, section 6).
  public static let firstLeasedPort: UInt16 = 1024
  /// Ports of one VM: all of a range up to all of a VIP.
  public static let snatPortsPerMachine = 8...64_512
  /// Unless the service says otherwise: 16 VMs could exhaust a quarter of a VIP, and one VM never more than 2 %; with
  /// port reuse they are 1,024 connections to each remote address and port.
  public static let defaultSNATPortsPerMachine = 1024
  /// How long connections may go on that use a range which was recalled: as long as a silent one would.
  public static let recallMilliseconds: UInt32 = 240_000
  /// Ranges in one report: with 12 octets each in one message of 100 KB.
  public static let rangesPerReport = 8192
  /// Resources of one operation: it is one entry of the log, about 300 bytes a resource, and a message of 4
  /// MiB at most.
  public static let resourcesPerOperation = 10_000
  /// Findings of one operation: nobody reads more, and the answer must fit into a message.
  public static let findings = 1000
  /// Changes that are kept for whoever asks who did what: at 16 resources of 60 octets each 1 MB.
  public static let auditRecords = 1000
  /// Resources named in the record of one change; more are counted.
  public static let itemsPerAuditRecord = 16
  /// Octets of what a node says of itself: the counters of some 10,000 endpoints, and not so much that a node which
  /// says more would keep others from being told of all.
  public static let statisticsOctets = 2 << 20
  /// The weight of a backend.
  public static let weight = 0...100
  /// Between the starts of two probes: faster would load the VM, slower would not notice anything.
  public static let probeIntervalMilliseconds = 100...300_000
  /// Consecutive equal probe results.
  public static let probeThreshold = 1...10
  /// Octets of an HTTP probe's path: with its header it fits into one segment.
  public static let probePathLength = 1024
  /// Idle time-out of flows: 1 second to 24 hours; longer would keep the state of dead flows for days.
  public static let idleTimeoutMilliseconds = 1000...86_400_000
  /// Lengths of a locator prefix: from a whole class A network to two VMs.
  public static let locatorPrefixLength: ClosedRange<UInt8> = 8...30
}
