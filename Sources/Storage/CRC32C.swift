/// The cyclic redundancy check of iSCSI (RFC 3720, section 12.1) and of most storage since.
struct CRC32C {
  private var remainder: UInt32

  /// Begins anew, or goes on after what `value` was computed over.
  init(after value: UInt32 = 0) { remainder = ~value }

  var value: UInt32 { ~remainder }

  /// Takes bytes in.
  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      remainder = remainder >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
    }
  }

  /// Takes a number in, most significant octet first.
  mutating func add(_ number: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) {
      add(CollectionOfOne(UInt8(truncatingIfNeeded: number >> UInt64(shift))))
    }
  }

  /// The remainders of single octets; 0x82f63b78 is the polynomial 0x1edc6f41 with its bits reversed.
  private static let table: [UInt32] = (0..<256).map { octet in
    (0..<8).reduce(UInt32(octet)) { remainder, _ in
      remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1
    }
  }
}
