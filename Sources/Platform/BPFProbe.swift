/// The smallest use of each feature.
enum BPFProbe {
  /// Whether the feature does what it is for; throws what the kernel says against it.
  static func succeeds(_ feature: BPFFeature) throws(PlatformError) -> Bool {
    switch feature {
    case .hashMap: try make(.hash)
    case .lruMap: try make(.lruHash)
    case .array: try make(.array)
    case .perCPUArray: try make(.perCPUArray)
    case .arrayOfArrays: try make(.arrayOfMaps, inner: shape(.array))
    case .arrayOfHashMaps: try make(.arrayOfMaps, inner: shape(.hash))
    case .mappableArray: try map()
    case .innerArraySizes: try make(.arrayOfMaps, inner: shape(.array, .innerMap))
    case .constants: try freeze()
    case .xdp: try load([.move(0, 2), .exit], .xdp)
    case .classifier: try load([.move(0, 0), .exit], .classifier)
    case .coarseClock: try load([.call(helper: 160), .move(0, 0), .exit], .xdp, .classifier)
    case .jiffies: try load([.call(helper: 118), .move(0, 0), .exit], .xdp, .classifier)
    case .fibLookup: try load(fibLookup, .xdp, .classifier)
    case .redirectNeighbor:
      try load([.move(1, 1), .move(2, 0), .move(3, 0), .move(4, 0), .call(helper: 152), .exit], .classifier)
    case .redirectPeer: try load([.move(1, 1), .move(2, 0), .call(helper: 155), .exit], .classifier)
    case .packetType: try load([.move(2, 3), .call(helper: 32), .exit], .classifier)
    // BPF_F_ADJ_ROOM_: FIXED_GSO 1, ENCAP_L3_IPV4 2, NO_CSUM_RESET 32, DECAP_L3_IPV4 128, DECAP_IPXIP4 2048.
    case .encapsulation: try adjust(by: 20, flags: 1 | 2 | 32)
    case .decapsulation: try adjust(by: -20, flags: 1 | 32 | 128)
    case .decapsulationOfSegments: try adjust(by: -20, flags: 1 | 32 | 128 | 2048)
    }
  }

  private static func shape(_ type: BPFMapType, _ flags: BPFMapFlags = []) -> BPFMapDefinition.Shape {
    BPFMapDefinition.Shape(type, keySize: 4, valueSize: type.isMapOfMaps ? 4 : 8, maxEntries: 1, flags: flags)
  }

  private static func make(
    _ type: BPFMapType, inner: BPFMapDefinition.Shape? = nil
  ) throws(PlatformError) -> Bool {
    let map = try BPFMap.create(BPFMapDefinition("probe", shape(type), inner: inner))
    guard let inner else { return map.valueByteCount > 0 }
    let value = try BPFMap.create(BPFMapDefinition("probe", inner))
    try map.insert(value, at: UInt32(0))
    return try map.innerID(at: UInt32(0)) == value.id()
  }

  private static func map() throws(PlatformError) -> Bool {
    let map = try BPFMap.create(BPFMapDefinition("probe", shape(.array, .mappable)))
    let memory = try map.memory()
    memory[0, as: UInt64.self] = 7
    return try map.value(of: UInt32(0), as: UInt64.self) == 7
  }

  private static func freeze() throws(PlatformError) -> Bool {
    let reference = BPFCode.Reference(index: 0, target: .constant(section: ".rodata", offset: 4))
    let code = BPFCode(
      name: "probe", section: "",
      instructions: BPFInstruction.loadMap(1) + [.load(0, from: 1, 0, width: 1), .exit],
      references: [reference], functions: [], constants: [".rodata": [0, 0, 0, 0, 7, 0, 0, 0]])
    let program = try BPFProgram.load(code, .xdp)
    return try program.testRun([UInt8](repeating: 0, count: 64)).returnValue == 7
  }

  private static func load(
    _ instructions: [BPFInstruction], _ types: BPFProgramType...
  ) throws(PlatformError) -> Bool {
    for type in types { _ = try BPFProgram.load(BPFCode("probe", instructions), type) }
    return true
  }

  /// A look-up in 64 zeroed bytes of the stack, `struct bpf_fib_lookup`.
  private static var fibLookup: [BPFInstruction] {
    (1...8).map { .store(immediate: 0, to: 10, Int16(-8 * $0), width: 8) }
      + [.move(2, from: 10), .add(2, -64), .move(3, 64), .move(4, 0), .call(helper: 69), .move(0, 0), .exit]
  }

  /// Whether a packet of IPv4 in IPv4 can be made longer or shorter behind its Ethernet header.
  private static func adjust(by length: Int32, flags: Int32) throws(PlatformError) -> Bool {
    let program = try BPFProgram.load(
      BPFCode(
        "probe", [.move(2, length), .move(3, 1), .move(4, flags), .call(helper: 50), .exit]),
      .classifier)
    // Ethernet, 20 bytes of outer IPv4 for protocol 4, 20 of inner IPv4, 60 of anything.
    var packet = [UInt8](repeating: 0, count: 14 + 100)
    packet[12] = 0x08
    packet[14] = 0x45
    packet[17] = 100
    packet[22] = 64
    packet[23] = 4
    packet[34] = 0x45
    packet[37] = 80
    packet[42] = 64
    let run = try program.testRun(packet)
    return run.returnValue == 0 && run.data.count == packet.count + Int(length)
  }
}
