/// Why a packet went no further; each has its own counter.
public enum DropReason: UInt8, CaseIterable, BitwiseCopyable, Sendable {
  /// Shorter than the headers it must have, or than it says it is.
  case truncated
  /// Not IPv4.
  case notIPv4
  /// An IPv4 header with options, or one that says it is shorter than it can be.
  case headerLength
  /// A wrong header checksum.
  case headerChecksum
  /// A TCP, UDP or ICMP header that contradicts itself.
  case transportHeader
  /// A protocol we do not carry.
  case unknownProtocol
  /// A piece of a packet, without the ports that would say where it goes.
  case fragment
  /// To a VIP, but to a port that nobody serves.
  case noEndpoint
  /// The endpoint has no backend that may get connections.
  case noBackend
  /// Too big for the way ahead, and not to be fragmented.
  case tooBig
  /// No more hops left.
  case timeToLive
  /// Encapsulated by somebody who is not a MUX.
  case foreignSource
  /// To a locator that belongs to no VM here.
  case unknownLocator
  /// From a VM, but not from its own address.
  case spoofedSource
  /// From a VM, and no flow or rule says where it may go.
  case noFlow
  /// The flow table has no room.
  case flowTableFull
  /// The device could not take it.
  case deviceFull
  /// An offload request of the device that makes no sense.
  case offload
  /// A connection that a VM could not tell from another one, which reached the same port by another VIP.
  case flowConflict
  /// Marked as congested in a tunnel, from a sender who does not know such marks (RFC 6040 §4.2).
  case congestion
  /// From an address that nobody may have as source.
  case martianSource
}
