public import Wire

/// A layer of a packet under construction.
public protocol Layer: Sendable {
  /// Its number in the protocol field of an IPv4 header below it.
  var number: UInt8 { get }
  /// Its bytes, given those above it and the IPv4 header below it.
  func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8]
}

/// Layers one upon another, written as they lie on the wire:
///
/// ```swift
/// IPv4("10.0.0.1", "10.1.0.5") / IPv4("198.51.100.10", "203.0.113.10") / TCP(40000, 80, .syn) /
/// Payload(count: 10) ``` Lengths and checksums are computed unless a layer says otherwise.
public struct Packet: Sendable {
  var layers: [any Layer]

  /// The packet as it lies on the wire.
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    for place in layers.indices.reversed() {
      var layer = layers[place]
      if var network = layer as? IPv4, network.proto == nil {
        network.proto = place + 1 < layers.count ? layers[place + 1].number : 255
        layer = network
      }
      result = layer.bytes(over: result, under: place > 0 ? layers[place - 1] as? IPv4 : nil)
    }
    return result
  }
}

/// Puts a layer on another.
public func / (below: some Layer, above: some Layer) -> Packet { Packet(layers: [below, above]) }

/// Puts a layer on a packet.
public func / (below: Packet, above: some Layer) -> Packet { Packet(layers: below.layers + [above]) }

/// Puts a packet on a packet.
public func / (below: Packet, above: Packet) -> Packet { Packet(layers: below.layers + above.layers) }

/// Puts a packet into a layer.
public func / (below: some Layer, above: Packet) -> Packet { Packet(layers: [below] + above.layers) }

extension IPv4Address: ExpressibleByStringLiteral {
  /// Reads dotted decimal; a literal that is none ends the test.
  public init(stringLiteral text: String) {
    guard let address = IPv4Address(text) else { preconditionFailure("\(text) is not an IPv4 address") }
    self = address
  }
}

/// The Internet checksum in plain arithmetic (RFC 1071 §4.1), independent of the code under test.
public func checksum(_ bytes: [UInt8]) -> UInt16 {
  var sum = 0
  for place in stride(from: 0, to: bytes.count, by: 2) {
    sum += Int(bytes[place]) << 8 + (place + 1 < bytes.count ? Int(bytes[place + 1]) : 0)
  }
  while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
  return UInt16(0xffff - sum)
}

/// A number in network byte order.
func octets(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

/// A number in network byte order.
func octets(_ number: UInt32) -> [UInt8] {
  octets(UInt16(number >> 16)) + octets(UInt16(truncatingIfNeeded: number))
}

extension [UInt8] {
  /// With a number in network byte order at a place.
  func with(_ number: UInt16, at place: Int) -> [UInt8] {
    var result = self
    result[place] = UInt8(number >> 8)
    result[place + 1] = UInt8(number & 255)
    return result
  }
}
