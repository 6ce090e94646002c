/// What the lab bounds, and why.
enum Limits {
  /// Longest name of a lab; with the longest node name it must fit a UNIX socket path of 107 bytes.
  static let labNameLength = 24
  /// Longest name of a node or client: `to-` and the name must fit an interface name of 15 bytes.
  static let nodeNameLength = 12
  /// Longest name of a VM, a network or a service, as manifests allow it.
  static let nameLength = 63
  /// Namespaces of one lab; each costs about 1 MB of kernel memory.
  static let namespaces = 256
  /// A topology is written by hand: 1 MiB is a mistake.
  static let topologyBytes = 1 << 20
  /// Output kept of one external command; `ip route` of 2,000 VIPs is 200 kB.
  static let commandOutputBytes = 16 << 20
  /// Polite time between SIGTERM and SIGKILL.
  static let terminationMilliseconds = 2_000
  /// How long a killed process may take to vanish.
  static let killMilliseconds = 5_000
  /// FRR's daemons open their sockets within 0.2 s; a loaded machine takes longer.
  static let daemonStartMilliseconds = 10_000
  /// How long the manager may take from start to its first answer.
  static let managerStartMilliseconds = 20_000
  /// How long VIPs may take to reach the router: probes, BGP connect retry (5 s) and FRR's hold-down.
  static let convergenceMilliseconds = 30_000
  /// Connections of a load generator that are open at once: RLIMIT_NOFILE may be as low as 1,024.
  static let openConnections = 900
  /// Connections of one server of the internet: a quarter of 50,000 and some that end late, with 20,000 descriptors.
  static let internetConnections = 16_384
  /// Connections that one process holds at once; some machines allow no more than 20,000 descriptors.
  static let heldConnections = 16_384
  /// Before a command: it may have as many descriptors as this process may give it.
  static let allDescriptors = ["sh", "-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]
  /// Reasons that a report names: the first few tell all.
  static let namedReasons = 8
  /// Hosts report once a second, and managers show it at once; a busy machine takes longer.
  static let statisticsMilliseconds = 1_250
  /// How often counts that hosts report are asked for until two are equal: a VM whose connections have all been begun
  /// asks for nothing more.
  static let statisticsLooks = 12
  /// Failures that a report lists one by one; all are counted.
  static let listedFailures = 10_000
  /// Steps of one register's search for an order: 90,000 operations take some 200,000 when there is one.
  static let linearizabilitySteps = 50_000_000
  /// Read from the end of the file that says who leads: five managers every 200 ms at 400 octets each are 10 kB a second.
  static let sightingTailBytes = 32 << 10
  /// What was seen of a leader counts for so long: an election takes longer.
  static let sightingNanoseconds: UInt64 = 1_000_000_000
  /// Operations that a finding shows before and after the one it is about: a screen of them.
  static let operationsAroundFinding = 12
  /// Bytes kept of one HTTP reply; a page that says a name has 200.
  static let replyBytes = 16_384
}
