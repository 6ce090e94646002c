import NIOCore
import Paxos

/// How much may be under way, and for how long.
enum Limits {
  /// 64 MiB: a whole data centre of 100,000 VMs at some 200 bytes each, three times over.
  ///
  /// gRPC's own 4 MiB would refuse a snapshot of 20,000 VMs.
  static let messageBytes = 64 << 20
  /// 1 MiB of HTTP/2 window: a snapshot flows without a round trip for every 64 KiB.
  static let windowBytes = 1 << 20
  /// Two streams for each of some thousand agents over one connection would already be a mistake.
  static let streamsPerConnection = 128
  /// So often a ping is sent, in both directions.
  static let keepaliveTime = Duration.seconds(1)
  /// A peer from which no octet has come for so long, not even the answer to a ping, is not there, or is stopped: its
  /// kernel goes on acknowledging what nobody reads.
  ///
  /// gRPC is told the same; it begins to wait anew with each ping, so it would notice nothing (grpc-swift-nio-transport
  /// 2.x, whose timer repeats).
  static let silence = Duration.seconds(3)
  /// Pings closer than this count as an attack: hardly any, since those of some seconds in which this process had no
  /// processor are read at once, and whoever sends them has a certificate.
  static let shortestPingInterval = Duration.milliseconds(1)
  /// Health changes in one report; some 50 bytes each.
  static let healthChangesPerReport = 1000
  /// Until an agent tries again for the first time, before jitter.
  static let firstRetry = Duration.milliseconds(100)
  /// The longest time until an agent tries again: a restarted manager has its agents back within seconds.
  static let longestRetry = Duration.seconds(2)
  /// A manager that accepts the connection but sends no first update for so long is left for another one.
  static let firstUpdate = Duration.seconds(5)
  /// How long requests may go on after the server was told to stop; agents' streams are ended then.
  static let grace = Duration.milliseconds(500)
  /// Follows from one replica to the primary it names; two replicas may name one another for a moment.
  static let redirects = 3
  /// Questions for everything, and dry runs or changes of many resources, that are worked on at once: half of the
  /// cores, so that the other half is there for what is small, at some 3 ms each.
  static let largeAtOnce = max(1, System.coreCount / 2)
  /// Those that wait for their turn, most of a second; who comes beyond is told to come again.
  static let largeWaiting = 256
  /// Resources from which on a request is large: those of a rack, decoded in a fraction of a millisecond.
  static let resourcesOfLarge = 64
  /// When a manager that sheds work does not say after how long to try again.
  static let retryAfterMilliseconds: UInt32 = 1000
  /// A TCP connection inside a data centre is there within a few milliseconds; a machine that is down is left for the
  /// next one after so long, and one that has come back is found as soon.
  static let connect = Duration.milliseconds(500)
  /// Octets that a peer has not acknowledged for so long will not be: six retransmissions inside a data centre.
  static let unacknowledgedMilliseconds = 2000
  /// From the beginning of a connection until a request can be sent over it: a handshake takes 10 ms of computing at
  /// each end, and a machine with hundreds of them at once, or with more urgent work, has this time for it.
  static let handshake = Duration.seconds(3)
  /// The same refusal of the same peer is logged once in so long: a node tries several times a second.
  static let sameRefusal = Duration.seconds(10)
  /// Refusals that are remembered for that, some 200 octets each, and so the most that are logged in this time.
  static let refusalsRemembered = 1024
  /// Ranges of ports that a host may say one VM has: as many as a manager leases to all together.
  ///
  /// Whoever lists them multiplies, and adds up.
  static let rangesOfMachine: UInt64 = 1 << 20

  // Links between managers.

  /// Octets of one message: as many entries as a replica takes, the first of the full size, and 64 KiB for what
  /// stands around 128 of them.
  static let replicaMessageBytes = Paxos.Limits.commandBytes + Paxos.Limits.messageBytes + (64 << 10)
  /// Fields of the message in an envelope: an entry for each of a replica's 128, and a few around them.
  static let replicaMessageParts = Paxos.Limits.messageEntries + 16
  /// Messages that wait for a link: those of a leader's whole window, several times over; the oldest are dropped.
  static let replicaQueue = 512
  /// Octets of entries in those: two windows of full messages.
  static let replicaQueueBytes = 2 * Paxos.Limits.windowBytes
  /// Links that are accepted at once: seven voters and as many learners, each with an old link that is not known
  /// to be dead yet.
  static let replicaLinks = 32
  /// A manager that answers a link says so this often.
  static let replicaSignOfLife = Duration.milliseconds(500)
  /// A link that was silent for so long is dead: three signs of life are missing, and nothing repairs that by waiting.
  static let replicaSilence = Duration.seconds(2)
  /// Until a link is dialled again for the first time, before jitter.
  static let replicaFirstRetry = Duration.milliseconds(20)
  /// Until it is after one of the two has refused the other: somebody must correct something first.
  static let replicaRefusedRetry = Duration.seconds(1)
  /// The longest time until it is; with `connect` it bounds how long a healed partition goes unnoticed.
  static let replicaLongestRetry = Duration.milliseconds(250)
}
