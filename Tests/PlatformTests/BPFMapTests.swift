import Foundation
import Testing

@testable import Platform

@Suite(.enabled(if: isRoot, "needs root")) struct BPFMapTests {
  struct Endpoint: BitwiseCopyable, Hashable {
    var address: UInt32
    var port: UInt16
    var networkProtocol: UInt8
    var zero: UInt8 = 0
  }

  static func hash(_ maxEntries: Int = 16, _ type: BPFMapType = .hash) throws -> BPFMap {
    try BPFMap.create(
      BPFMapDefinition("endpoints", type, keySize: 8, valueSize: 8, maxEntries: maxEntries))
  }

  static func endpoint(_ number: Int) -> Endpoint {
    Endpoint(address: UInt32(number), port: UInt16(truncatingIfNeeded: number * 7), networkProtocol: 6)
  }

  @Test(arguments: [BPFMapType.hash, .lruHash])
  func entriesAreAddedReadListedAndRemoved(type: BPFMapType) throws {
    let map = try Self.hash(16, type)
    for number in 1...5 { try map.update(Self.endpoint(number), to: UInt64(number)) }
    #expect(try map.value(of: Self.endpoint(3), as: UInt64.self) == 3)
    #expect(try map.value(of: Self.endpoint(6), as: UInt64.self) == nil)
    var keys: Set<Endpoint> = []
    try map.forEach { (key: Endpoint, _: UInt64) in keys.insert(key) }
    #expect(keys == Set((1...5).map(Self.endpoint)))
    #expect(try map.remove(Self.endpoint(3)))
    #expect(try !map.remove(Self.endpoint(3)))
    #expect(try map.value(of: Self.endpoint(3), as: UInt64.self) == nil)
    let rest = [4, 5, 6].map(Self.endpoint)
    #expect(try map.remove(rest.span) == 2)
  }

  @Test func anUpdateMayHaveACondition() throws {
    let map = try Self.hash()
    let key = Self.endpoint(1)
    let missing = try #require(throws: PlatformError.self) {
      try map.update(key, to: UInt64(1), if: .present)
    }
    #expect(missing.reason == .missing)
    try map.update(key, to: UInt64(1), if: .absent)
    let exists = try #require(throws: PlatformError.self) { try map.update(key, to: UInt64(2), if: .absent) }
    #expect(exists.reason == .exists)
    try map.update(key, to: UInt64(2), if: .present)
    #expect(try map.value(of: key, as: UInt64.self) == 2)
  }

  @Test func aFullMapSaysSo() throws {
    let map = try Self.hash(2)
    try map.update(Self.endpoint(1), to: UInt64(1))
    try map.update(Self.endpoint(2), to: UInt64(1))
    let error = try #require(throws: PlatformError.self) { try map.update(Self.endpoint(3), to: UInt64(1)) }
    #expect(error.reason == .exhausted)
    #expect("\(error)".contains("map endpoints"))
  }

  @Test(arguments: [(BPFMapType.hash, 3_000), (.lruHash, 700), (.hash, 1)])
  func manyEntriesAreWrittenAndShownAtOnce(type: BPFMapType, count: Int) throws {
    let map = try Self.hash(4_096, type)
    let keys = (0..<count).map(Self.endpoint)
    let values = (0..<count).map { UInt64($0) }
    try map.update(keys.span, to: values.span)
    var seen: [Endpoint: UInt64] = [:]
    try map.forEach { (key: Endpoint, value: UInt64) in seen[key] = value }
    #expect(seen == Dictionary(uniqueKeysWithValues: zip(keys, values)))
  }

  @Test(arguments: [BPFMapType.hash, .array, .perCPUArray])
  func withoutBatchesTheSameIsShown(type: BPFMapType) throws {
    let map = try BPFMap.create(
      BPFMapDefinition("singly", type, keySize: 4, valueSize: 8, maxEntries: 500))
    for key in 0..<500 as Range<UInt32> where !type.isPerCPU { try map.update(key, to: UInt64(key)) }
    var keys: [UInt32] = []
    var sum: UInt64 = 0
    try unsafe map.scanSingly { key, value in
      unsafe keys.append(key.loadUnaligned(as: UInt32.self))
      unsafe sum += value.loadUnaligned(as: UInt64.self)
    }
    #expect(keys.sorted() == Array(0..<500))
    #expect(sum == (type.isPerCPU ? 0 : 124_750))
  }

  @Test func anArrayHasAllItsEntriesFromTheStart() throws {
    let map = try BPFMap.create(
      BPFMapDefinition("array", .array, keySize: 4, valueSize: 4, maxEntries: 1_000))
    let keys = (0..<1_000).map { UInt32($0) }
    let doubled = keys.map { $0 * 2 }
    try map.update(keys.span, to: doubled.span)
    var sum: UInt32 = 0
    var count = 0
    try map.forEach { (key: UInt32, value: UInt32) in
      #expect(value == key * 2)
      sum += value
      count += 1
    }
    #expect(count == 1_000)
    #expect(sum == 999_000)
    let error = try #require(throws: PlatformError.self) { try map.update(UInt32(1_000), to: UInt32(0)) }
    #expect(error.reason == .invalid)
  }

  @Test(arguments: [BPFMapType.perCPUArray, .perCPUHash, .lruPerCPUHash])
  func everyCPUHasItsValue(type: BPFMapType) throws {
    let map = try BPFMap.create(
      BPFMapDefinition("counters", type, keySize: 4, valueSize: 16, maxEntries: 300))
    let mine = (0..<BPFMap.possibleCPUs).map { SIMD2<UInt64>(UInt64($0), 1) }
    for key in 0..<300 as Range<UInt32> { try map.update(key, toPerCPU: mine.span) }
    var values = [SIMD2<UInt64>](repeating: .zero, count: BPFMap.possibleCPUs)
    var span = values.mutableSpan
    #expect(try map.values(of: UInt32(7), into: &span))
    #expect(values == mine)
    var total = SIMD2<UInt64>.zero
    try map.forEachPerCPU { (_: UInt32, values: Span<SIMD2<UInt64>>) in
      for index in values.indices { total &+= values[index] }
    }
    #expect(total.y == 300 * UInt64(BPFMap.possibleCPUs))
    guard type == .perCPUArray else { return }
    // An array shows its first ones in order, though they are no whole number of batches.
    for limit in [0, 1, 256, 257, 300, 400] {
      var shown: [UInt32] = []
      try map.forEachPerCPU(first: limit) { (key: UInt32, _: Span<SIMD2<UInt64>>) in shown.append(key) }
      #expect(shown == Array(0..<UInt32(min(limit, 300))))
    }
  }

  @Test(arguments: [BPFMapType.perCPUHash, .lruPerCPUHash])
  func aKeyThatIsNotThereHasNoValues(type: BPFMapType) throws {
    let map = try BPFMap.create(
      BPFMapDefinition("counters", type, keySize: 4, valueSize: 16, maxEntries: 300))
    var values = [SIMD2<UInt64>](repeating: .zero, count: BPFMap.possibleCPUs)
    var other = values.mutableSpan
    #expect(try !map.values(of: UInt32(300), into: &other))
  }

  @Test func mappedValuesAreTheMapsOwn() throws {
    let map = try BPFMap.create(
      BPFMapDefinition("cells", .array, keySize: 4, valueSize: 12, maxEntries: 1_000, flags: .mappable))
    var memory = try map.memory()
    #expect((memory.count, memory.stride) == (1_000, 16))
    memory[999, as: UInt64.self] = 77
    #expect(memory[999, as: UInt64.self] == 77)
    #expect(memory.mutableBytes.byteCount == 16_000)
    let found = try map.value(of: UInt32(999), as: InlineArray<3, UInt32>.self)
    #expect(found?[0] == 77)
    let plain = try BPFMap.create(
      BPFMapDefinition("plain", .array, keySize: 4, valueSize: 8, maxEntries: 1))
    #expect(throws: PlatformError.self) { _ = try plain.memory() }
  }

  @Test func aFrozenMapStays() throws {
    let map = try Self.hash()
    try map.update(Self.endpoint(1), to: UInt64(1))
    try map.freeze()
    let error = try #require(throws: PlatformError.self) { try map.update(Self.endpoint(1), to: UInt64(2)) }
    #expect(error.reason == .privilege)
    #expect(try map.value(of: Self.endpoint(1), as: UInt64.self) == 1)
  }

  @Test func aMapThatCannotBeIsDescribed() throws {
    let definition = BPFMapDefinition("odd", .array, keySize: 3, valueSize: 8, maxEntries: 1)
    let error = try #require(throws: PlatformError.self) { _ = try BPFMap.create(definition) }
    #expect(error.reason == .invalid)
    #expect("\(error)".contains("map odd (array, keys of 3 bytes"), "\(error)")
  }

  @Test func aKeyOfAnotherSizeStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = try BPFMapTests.hash().value(of: UInt32(1), as: UInt64.self)
    }
  }
}
