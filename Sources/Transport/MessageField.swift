import Control
import SwiftProtobuf
import Wire

/// A value that has a protobuf message.
protocol MessageValue {
  associatedtype Proto: Message
  /// The message that says this value.
  var proto: Proto { get }
  /// The value that a message says; the error names the field within the message.
  init(_ proto: Proto) throws(MalformedMessage)
}

/// Reads single fields strictly: what cannot be the value is refused by name.
enum MessageField {
  static func address(_ name: String, _ has: Bool, _ number: UInt32) throws(MalformedMessage) -> IPv4Address {
    guard has else { throw MalformedMessage(field: name, reason: "is missing") }
    return IPv4Address(number: number)
  }

  static func port(_ name: String, _ number: UInt32) throws(MalformedMessage) -> UInt16 {
    guard let port = UInt16(exactly: number) else {
      throw MalformedMessage(field: name, reason: "\(number) is no port")
    }
    return port
  }

  static func integer(_ name: String, _ number: UInt64) throws(MalformedMessage) -> Int {
    guard let integer = Int(exactly: number) else {
      throw MalformedMessage(field: name, reason: "\(number) is too large")
    }
    return integer
  }

  /// A number that counts something of which there is a most.
  static func count(
    _ name: String, _ number: UInt64, atMost limit: UInt64
  ) throws(MalformedMessage) -> Int {
    guard number <= limit else {
      throw MalformedMessage(field: name, reason: "is \(number), more than \(limit)")
    }
    return try integer(name, number)
  }

  /// Looks at the size of a field before anything is made of it.
  static func limit(_ name: String, _ count: Int, atMost limit: Int) throws(MalformedMessage) {
    guard count <= limit else {
      throw MalformedMessage(field: name, reason: "is of \(count), more than \(limit)")
    }
  }

  static func value<Value: MessageValue>(
    _ name: String, _ has: Bool, _ proto: Value.Proto
  ) throws(MalformedMessage) -> Value {
    guard has else { throw MalformedMessage(field: name, reason: "is missing") }
    return try within(name, proto)
  }

  static func optional<Value: MessageValue>(
    _ name: String, _ has: Bool, _ proto: Value.Proto
  ) throws(MalformedMessage) -> Value? {
    has ? try within(name, proto) : nil
  }

  static func within<Value: MessageValue>(
    _ name: String, _ proto: Value.Proto
  ) throws(MalformedMessage) -> Value {
    do { return try Value(proto) } catch { throw error.within(name) }
  }

  static func list<Value: MessageValue>(
    _ name: String, _ protos: [Value.Proto]
  ) throws(MalformedMessage) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(protos.count)
    for (index, proto) in protos.enumerated() {
      do { values.append(try Value(proto)) } catch { throw error.within("\(name)[\(index)]") }
    }
    return values
  }

  static func oneOf<Choice>(_ name: String, _ choice: Choice?) throws(MalformedMessage) -> Choice {
    guard let choice else {
      throw MalformedMessage(field: name, reason: "is missing or unknown to this version")
    }
    return choice
  }
}

/// An enumeration that has a protobuf one.
protocol EnumerationValue: CaseIterable, Equatable {
  associatedtype Proto: SwiftProtobuf.Enum
  /// The number on the wire.
  var proto: Proto { get }
}

extension EnumerationValue {
  /// The case that a number says.
  static func read(_ name: String, _ proto: Proto) throws(MalformedMessage) -> Self {
    guard let value = allCases.first(where: { $0.proto == proto }) else {
      let reason = proto.rawValue == 0 ? "is missing" : "\(proto.rawValue) is unknown to this version"
      throw MalformedMessage(field: name, reason: reason)
    }
    return value
  }
}

extension Role: EnumerationValue {
  var proto: ProtoRole {
    switch self {
    case .host: .host
    case .mux: .mux
    case .manager: .manager
    }
  }

  static func list(_ name: String, _ protos: [ProtoRole]) throws(MalformedMessage) -> [Role] {
    var roles: [Role] = []
    for (index, proto) in protos.enumerated() { roles.append(try read("\(name)[\(index)]", proto)) }
    return roles
  }
}

extension Kind: EnumerationValue {
  var proto: ProtoKind {
    switch self {
    case .node: .node
    case .virtualNetwork: .virtualNetwork
    case .virtualMachine: .virtualMachine
    case .service: .service
    }
  }
}

extension TransportProtocol: EnumerationValue {
  var proto: ProtoTransportProtocol {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    }
  }
}

extension Affinity: EnumerationValue {
  var proto: ProtoAffinity {
    switch self {
    case .fiveTuple: .fiveTuple
    case .sourceAndDestination: .sourceAndDestination
    case .sourceDestinationAndProtocol: .sourceDestinationAndProtocol
    }
  }
}
