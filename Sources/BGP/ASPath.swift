/// The way of a route through autonomous systems (RFC 4271 §4.3 b, RFC 6793 §4).
public struct ASPath: Hashable, Sendable {
  /// A run of AS numbers.
  public enum Segment: Hashable, Sendable {
    /// Type 1: unordered.
    case set([UInt32])
    /// Type 2: the nearest AS first.
    case sequence([UInt32])

    var numbers: [UInt32] {
      switch self {
      case .set(let numbers), .sequence(let numbers): numbers
      }
    }

    /// As path length counts it: a set is one hop (RFC 4271 §9.1.2.2 a).
    var hops: Int {
      switch self {
      case .set: 1
      case .sequence(let numbers): numbers.count
      }
    }
  }

  /// Each of 1 to 255 numbers.
  public var segments: [Segment]

  /// Joins segments.
  public init(_ segments: [Segment]) { self.segments = segments }

  /// The path length.
  public var hops: Int { segments.reduce(0) { $0 + $1.hops } }

  /// Reads segments; `nil` when one is of an unknown type, empty or cut off (RFC 7606 §7.2).
  ///
  /// The confederation types 3 and 4 are unknown here: no peer is in a confederation with us (RFC 5065 §5).
  init?(_ octets: [UInt8], fourOctetAS: Bool) {
    var reader = ByteReader(octets)
    var segments: [Segment] = []
    while reader.remaining > 0 {
      guard let type = reader.uint8(), let count = reader.uint8(), count > 0 else { return nil }
      var numbers: [UInt32] = []
      for _ in 0..<count {
        guard let number = fourOctetAS ? reader.uint32() : reader.uint16().map(UInt32.init) else { return nil }
        numbers.append(number)
      }
      switch type {
      case 1: segments.append(.set(numbers))
      case 2: segments.append(.sequence(numbers))
      default: return nil
      }
    }
    self.segments = segments
  }

  /// Type, count and numbers of every segment; numbers that do not fit two octets become AS_TRANS.
  func octets(fourOctetAS: Bool) -> [UInt8] {
    var writer = ByteWriter()
    for segment in segments {
      switch segment {
      case .set: writer.uint8(1)
      case .sequence: writer.uint8(2)
      }
      precondition(1...255 ~= segment.numbers.count, "AS_PATH segment of 1 to 255 numbers")
      writer.uint8(UInt8(segment.numbers.count))
      for number in segment.numbers {
        if fourOctetAS {
          writer.uint32(number)
        } else {
          writer.uint16(UInt16(exactly: number) ?? OpenMessage.asTrans)
        }
      }
    }
    return writer.bytes
  }

  /// Puts the four-octet tail in place of what a two-octet speaker could only pass on as AS_TRANS.
  ///
  /// RFC 6793 §4.2.3: a tail longer than the path is not believed.
  func merged(with tail: ASPath) -> ASPath {
    guard tail.hops <= hops else { return self }
    var missing = hops - tail.hops
    var head: [Segment] = []
    for segment in segments {
      guard missing > 0 else { break }
      switch segment {
      case .set: head.append(segment)
      case .sequence(let numbers): head.append(.sequence(Array(numbers.prefix(missing))))
      }
      missing -= min(missing, segment.hops)
    }
    if case .sequence(let first)? = head.last, case .sequence(let second)? = tail.segments.first,
      first.count + second.count <= 255
    {
      head[head.count - 1] = .sequence(first + second)
      return ASPath(head + tail.segments.dropFirst())
    }
    return ASPath(head + tail.segments)
  }
}
