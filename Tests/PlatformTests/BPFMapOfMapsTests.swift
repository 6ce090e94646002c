import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct BPFMapOfMapsTests {
  static let shape = BPFMapDefinition.Shape(
    .array, keySize: 4, valueSize: 8, maxEntries: 4, flags: .innerMap)

  static func table(_ value: UInt64, entries: Int = 4) throws -> BPFMap {
    let map = try BPFMap.create(
      BPFMapDefinition("table", .array, keySize: 4, valueSize: 8, maxEntries: entries, flags: .innerMap))
    try map.update(UInt32(0), to: value)
    return map
  }

  static let source = """
    extern char tables;
    program("xdp") int choose(struct xdp_md *context) {
      u32 key = 0;
      void *table = lookup(&tables, &key);
      if (!table) return 1;
      u64 *value = lookup(table, &key);
      return value ? *value : 2;
    }
    """

  @Test(arguments: [BPFMapType.arrayOfMaps, .hashOfMaps])
  func aTableIsSwappedUnderAProgram(type: BPFMapType) throws {
    let tables = try BPFMap.create(
      BPFMapDefinition("tables", type, keySize: 4, valueSize: 4, maxEntries: 8, inner: Self.shape))
    let program = try BPFProgram.load(
      BPFObject(BPFCompiler.object(Self.source)).program(named: "choose"), .xdp,
      maps: ["tables": tables.descriptor.raw])
    let packet = [UInt8](repeating: 0, count: 64)
    #expect(try program.testRun(packet).returnValue == 1)

    let old = try Self.table(100)
    try tables.insert(old, at: UInt32(0))
    #expect(try program.testRun(packet).returnValue == 100)

    let new = try Self.table(200, entries: 9)
    try tables.insert(new, at: UInt32(0))
    #expect(try program.testRun(packet).returnValue == 200)
    #expect(try tables.innerID(at: UInt32(0)) == new.id())
    #expect(try old.id() != new.id())

    #expect(try tables.remove(UInt32(0)))
    #expect(try program.testRun(packet).returnValue == 1)
  }

  @Test func whatHasAnotherShapeIsNotTaken() throws {
    let tables = try BPFMap.create(
      BPFMapDefinition("tables", .arrayOfMaps, keySize: 4, valueSize: 4, maxEntries: 8, inner: Self.shape))
    let other = try BPFMapTests.hash()
    let error = try #require(throws: PlatformError.self) { try tables.insert(other, at: UInt32(0)) }
    #expect(error.reason == .invalid)
    #expect("\(error)".contains("keys of 4 bytes, values of 8 bytes"), "\(error)")
  }

  @Test func innerTablesAreFilledInMemoryWhateverTheirSize() throws {
    let flags: BPFMapFlags = [.innerMap, .mappable]
    let outer = try BPFMap.create(
      BPFMapDefinition(
        "outer", .arrayOfMaps, keySize: 4, valueSize: 4, maxEntries: 4,
        inner: .init(.array, keySize: 4, valueSize: 8, maxEntries: 1, flags: flags)))
    for (key, entries) in [(UInt32(0), 65_537), (1, 3)] {
      let table = try BPFMap.create(
        BPFMapDefinition("table", .array, keySize: 4, valueSize: 8, maxEntries: entries, flags: flags))
      let memory = try table.memory()
      for slot in 0..<entries { memory[slot, as: UInt64.self] = UInt64(slot * 3) }
      try outer.insert(table, at: key)
    }
    for (key, entries) in [(UInt32(0), 65_537), (1, 3)] {
      let found = try end(of: outer, at: key)
      #expect(found == [UInt64(entries), UInt64(entries - 1) * 3])
    }
  }

  /// The number of values of an inner array, and the last of them.
  private func end(of outer: borrowing BPFMap, at key: UInt32) throws -> [UInt64] {
    guard let table = try outer.inner(at: key) else { return [] }
    let count = table.definition.shape.maxEntries
    return [UInt64(count), try table.value(of: UInt32(count - 1)) ?? 0]
  }

  @Test func anInnerMapIsFoundAgain() throws {
    let shape = BPFMapDefinition.Shape(.hash, keySize: 8, valueSize: 8, maxEntries: 16)
    let outer = try BPFMap.create(
      BPFMapDefinition("outer", .arrayOfMaps, keySize: 4, valueSize: 4, maxEntries: 2, inner: shape))
    do {
      let map = try BPFMapTests.hash()
      try map.update(BPFMapTests.endpoint(1), to: UInt64(5))
      try outer.insert(map, at: UInt32(1))
    }
    let found = try #require(
      try outer.inner(at: UInt32(1))?.value(of: BPFMapTests.endpoint(1), as: UInt64.self))
    #expect(found == 5)
    #expect(try outer.innerID(at: UInt32(0)) == nil)
  }

  @Test func programsCallEachOtherThroughAMap() throws {
    let programs = try BPFMap.create(
      BPFMapDefinition("programs", .programArray, keySize: 4, valueSize: 4, maxEntries: 2))
    // bpf_tail_call(context, programs, 1), helper 12; returns 5 when nothing is there.
    let code = BPFCode(
      "entry",
      [
        BPFInstruction(opcode: 0x18, destination: 2), BPFInstruction(opcode: 0), .move(3, 1),
        .call(helper: 12), .move(0, 5), .exit,
      ], maps: [0: "programs"])
    let entry = try BPFProgram.load(code, .xdp, maps: ["programs": programs.descriptor.raw])
    let packet = [UInt8](repeating: 0, count: 64)
    #expect(try entry.testRun(packet).returnValue == 5)
    try programs.insert(BPFProgram.load(BPFCode("next", [.move(0, 6), .exit]), .xdp), at: UInt32(1))
    #expect(try entry.testRun(packet).returnValue == 6)
  }
}
