internal import CNetlink
internal import Glibc
internal import Wire

/// An address or prefix as libnl keeps it, freed with its owner.
@safe struct NetlinkAddress: ~Copyable {
  let pointer: OpaquePointer

  init(_ address: IPv4Address, prefixLength: UInt8 = 32) {
    var raw = address.raw
    guard let pointer = unsafe nl_addr_build(AF_INET, &raw, 4) else {
      preconditionFailure("memory for an address")
    }
    unsafe nl_addr_set_prefixlen(pointer, CInt(prefixLength))
    unsafe self.pointer = pointer
  }

  init(_ prefix: IPv4Prefix) { self.init(prefix.address, prefixLength: prefix.length) }

  deinit { unsafe nl_addr_put(pointer) }

  /// The IPv4 address that libnl keeps; nil for none and for other families.
  static func address(_ pointer: OpaquePointer?) -> IPv4Address? {
    guard let pointer = unsafe pointer, unsafe nl_addr_get_family(pointer) == AF_INET,
      unsafe nl_addr_get_len(pointer) == 4, let bytes = unsafe nl_addr_get_binary_addr(pointer)
    else { return nil }
    return IPv4Address(raw: unsafe bytes.loadUnaligned(as: UInt32.self))
  }

  /// The bytes of an address of whatever family; none for none.
  static func bytes(_ pointer: OpaquePointer?) -> [UInt8] {
    guard let pointer = unsafe pointer, let bytes = unsafe nl_addr_get_binary_addr(pointer) else { return [] }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(nl_addr_get_len(pointer))))
  }

  /// The IPv4 prefix that libnl keeps; all addresses for none, nil for other families.
  static func prefix(_ pointer: OpaquePointer?) -> IPv4Prefix? {
    guard let pointer = unsafe pointer else { return IPv4Prefix(.any, length: 0) }
    let length = UInt8(clamping: unsafe nl_addr_get_prefixlen(pointer))
    if unsafe nl_addr_get_len(pointer) == 0 { return IPv4Prefix(.any, length: 0) }
    guard let address = unsafe address(pointer) else { return nil }
    return IPv4Prefix(address, length: length)
  }
}

/// The answer to a dump, freed with its owner.
@safe struct NetlinkCache: ~Copyable {
  private let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe nl_cache_free(pointer) }

  /// What `read` makes of each object, in the kernel's order; those it refuses are left out.
  borrowing func compactMap<Value>(_ read: (OpaquePointer) -> Value?) -> [Value] {
    var values: [Value] = []
    var next = unsafe nl_cache_get_first(pointer)
    while let object = unsafe next {
      if let value = unsafe read(object) { values.append(value) }
      unsafe next = nl_cache_get_next(object)
    }
    return values
  }
}
