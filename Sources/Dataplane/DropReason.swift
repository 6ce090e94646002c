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
  /// From a VM that no service lets out.
  case noSNAT
  /// From a VM that has no leased port for it, and gets none for now.
  case portsExhausted
  /// Waited for a port for too long.
  case heldTooLong
  /// No room to wait for a port in, or too big to wait.
  case holdFull
  /// To a leased port, but from a remote end that the VM has not contacted from there.
  case unsolicited
  /// To a port whose range the host has given back.
  case recalledPort
}
