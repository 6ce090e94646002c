import Platform
import Testing

struct BPFObjectTests {
  @Test func programsAreFoundByTheirSections() throws {
    let object = try BPFObject(BPFCompiler.object(BPFCompiler.counting))
    #expect(object.programs.map(\.name) == ["count", "other"])
    #expect(object.programs.map(\.section) == ["xdp", "xdp/other"])
    #expect(object.programs.map(\.maps) == [["counters"], ["weights"]])
  }

  @Test func calledFunctionsAreLinkedBehindTheirCaller() throws {
    let code = try BPFObject(BPFCompiler.object(BPFCompiler.counting)).program(named: "other")
    #expect(code.functions.map(\.name).sorted() == ["factor", "other", "twice"])
    #expect(code.functions.first?.name == "other")
    #expect(code.function(at: code.instructions.count - 1) != "other")
    let calls = code.instructions.indices.filter {
      code.instructions[$0].opcode == 0x85 && code.instructions[$0].source == 1
    }
    #expect(calls.count == 3)
    let targets = calls.map { $0 + 1 + Int(code.instructions[$0].immediate) }
    #expect(Set(targets) == Set(code.functions.dropFirst().map(\.start)))
    #expect(code.constants.keys.allSatisfy { $0.hasPrefix(".rodata") } && code.constants.count == 1)
  }

  @Test func severalProgramsMayShareASection() throws {
    let source = """
      program("tc") int one(void *context) { return 1; }
      program("tc") int two(void *context) { return 2; }
      """
    let object = try BPFObject(BPFCompiler.object(source))
    #expect(object.programs.map(\.name) == ["one", "two"])
    #expect(object.programs.map { $0.instructions[0].immediate } == [1, 2])
    #expect(throws: PlatformError.self) { try object.program(named: "three") }
  }

  @Test(arguments: [
    (
      "int away(int);\nprogram(\"xdp\") int one(void *context) { return away(1); }",
      "calls away, which the object"
    ),
    ("static int state;\nprogram(\"xdp\") int one(void *context) { return state++; }", "address of"),
    (
      "static int f(void *c) { return 1; }\nstatic int g(void *c) { return 2; }\n"
        + "int (*const table[])(void *) = {f, g};\n"
        + "program(\"xdp\") int one(struct xdp_md *c) { return (long)table[c->rx_queue_index & 1]; }",
      "hold addresses"
    ),
  ])
  func whatCannotBeLinkedIsNamed(source: String, words: String) throws {
    let bytes = try BPFCompiler.object(source)
    let error = try #require(throws: PlatformError.self) { try BPFObject(bytes) }
    #expect(error.reason == .invalid)
    #expect("\(error)".contains("function one"), "\(error)")
    #expect("\(error)".contains(words), "\(error)")
  }

  @Test(arguments: [[], [0x7f], Array("\u{7f}ELF".utf8), [UInt8](repeating: 0xff, count: 5_000)])
  func whatIsNoObjectIsRefused(bytes: [UInt8]) throws {
    let error = try #require(throws: PlatformError.self) { try BPFObject(bytes) }
    #expect(error.reason == .invalid)
  }

  @Test func anotherMachinesObjectIsRefused() throws {
    var bytes = try BPFCompiler.object(BPFCompiler.counting)
    bytes[18] = 62
    let error = try #require(throws: PlatformError.self) { try BPFObject(bytes) }
    #expect("\(error)".contains("EM_BPF"))
  }

  @Test func everyLengthIsReadWithoutHarm() throws {
    let bytes = try BPFCompiler.object(BPFCompiler.counting)
    for length in 0..<bytes.count {
      #expect(throws: PlatformError.self, "\(length) bytes") { try BPFObject(Array(bytes.prefix(length))) }
    }
    #expect(throws: Never.self) { try BPFObject(bytes) }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func damagedObjectsGiveProgramsOrAnError(seed: UInt64) throws {
    let original = try BPFCompiler.object(BPFCompiler.counting)
    var chance = SeededChance(seed: seed)
    var (read, refused) = (0, 0)
    for _ in 0..<5_000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &chance) { damage(&bytes, &chance) }
      do throws(PlatformError) {
        let object = try BPFObject(bytes)
        read += 1
        for code in object.programs {
          #expect(code.references.allSatisfy { code.instructions.indices.contains($0.index + 1) })
          #expect(code.functions.allSatisfy { code.instructions.indices.contains($0.start) })
        }
      } catch {
        refused += 1
        #expect(error.reason == .invalid)
      }
    }
    #expect(read > 400 && refused > 400, "\(read) read, \(refused) refused")
  }

  /// Changes a byte, or puts one of the numbers that break careless readers in the place of 2, 4 or 8 bytes.
  private func damage(_ bytes: inout [UInt8], _ chance: inout SeededChance) {
    let isHeader = Bool.random(using: &chance)
    let place =
      isHeader ? Int.random(in: 0..<64, using: &chance) : Int.random(in: bytes.indices, using: &chance)
    let width = [1, 2, 4, 8].randomElement(using: &chance) ?? 1
    let numbers: [UInt64] = [
      0, 1, .max, .max - 7, 1 << 63, 1 << 31, 0x7fff_ffff, UInt64(bytes.count), chance.next(),
    ]
    let number = numbers.randomElement(using: &chance) ?? 0
    for step in 0..<width where place + step < bytes.count {
      bytes[place + step] = UInt8(truncatingIfNeeded: number >> (8 * step))
    }
  }
}

/// A generator that repeats itself for the same seed (SplitMix64).
struct SeededChance: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
