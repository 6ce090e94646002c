import Foundation
import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct BPFProgramTests {
  static let packet = [UInt8](repeating: 2, count: 64)

  @Test(arguments: BPFProgramType.allCases)
  func aProgramOfInstructionsRuns(type: BPFProgramType) throws {
    let program = try BPFProgram.load(BPFCode("answer-42", [.move(0, 42), .exit]), type)
    let run = try program.testRun(Self.packet)
    #expect(run.returnValue == 42)
    #expect(run.data == Self.packet)
    let info = try program.info()
    #expect(info.name == "answer_42")
    #expect(info.instructionCount == 2)
    #expect(info.tag.count == 8)
  }

  @Test func anObjectsProgramsRunWithTheirMapsConstantsAndFunctions() throws {
    let object = try BPFObject(BPFCompiler.object(BPFCompiler.counting))
    let counters = try BPFMap.create(
      BPFMapDefinition("counters", .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 256))
    let weights = try BPFMap.create(
      BPFMapDefinition("weights", .array, keySize: 4, valueSize: 8, maxEntries: 1))
    let maps = ["counters": counters.descriptor.raw, "weights": weights.descriptor.raw]
    let count = try BPFProgram.load(object.program(named: "count"), .xdp, maps: maps)
    let other = try BPFProgram.load(object.program(named: "other"), .xdp, maps: maps)

    #expect(try count.testRun(Self.packet, repeating: 3).returnValue == 14)
    var values = [UInt64](repeating: 0, count: BPFMap.possibleCPUs)
    var span = values.mutableSpan
    #expect(try counters.values(of: UInt32(2), into: &span))
    #expect(values.reduce(0, +) == 3)

    #expect(try other.testRun(Self.packet).returnValue == 0)
    try weights.update(UInt32(0), to: UInt64(9))
    #expect(try other.testRun(Self.packet).returnValue == 9)
  }

  @Test func aProgramMayChangeThePacketAndItsLength() throws {
    // bpf_xdp_adjust_head by -20, and then a byte at the new beginning.
    let grow: [BPFInstruction] = [
      .move(6, from: 1), .move(2, -20), .call(helper: 44),
      .load(2, from: 6, 0, width: 4), .load(3, from: 6, 4, width: 4), .move(4, from: 2), .add(4, 1),
      BPFInstruction(opcode: 0x2d, destination: 4, source: 3, offset: 1),
      .store(immediate: 7, to: 2, 0, width: 1), .move(0, 3), .exit,
    ]
    let run = try BPFProgram.load(BPFCode("grow", grow), .xdp).testRun(Self.packet)
    #expect(run.returnValue == 3)
    #expect(run.data.count == 84)
    #expect(run.data.first == 7)
    #expect(Array(run.data.suffix(64)) == Self.packet)
  }

  @Test func aClassifierSeesAndChangesItsContext() throws {
    // mark = mark + gso_segs, at offsets 8 and 164 of struct __sk_buff.
    let code: [BPFInstruction] = [
      .load(2, from: 1, 8, width: 4), .load(3, from: 1, 164, width: 4), .add(2, from: 3),
      .store(2, to: 1, 8, width: 4), .move(0, 0), .exit,
    ]
    let program = try BPFProgram.load(BPFCode("mark", code), .classifier)
    let run = try program.testRun(
      Self.packet, context: .classifier(mark: 5, segmentSize: 1_448, segments: 3))
    #expect(run.context.count >= 176)
    #expect(run.context[8] == 8)
  }

  @Test(arguments: ["xdp", "xdp.frags"])
  func anXDPProgramIsToldTheDevice(section: String) throws {
    let source =
      "program(\"\(section)\") int device(struct xdp_md *context) { return context->ingress_ifindex; }"
    let program = try BPFProgram.load(BPFObject(BPFCompiler.object(source)).program(named: "device"), .xdp)
    #expect(try program.testRun(Self.packet, context: .xdp(device: 1)).returnValue == 1)
  }

  @Test func liveFramesAreRealOnes() throws {
    let counters = try BPFMap.create(
      BPFMapDefinition("counters", .array, keySize: 4, valueSize: 8, maxEntries: 256))
    let source = """
      extern char counters;
      program("xdp") int drop(struct xdp_md *context) {
        u32 key = 1;
        u64 *value = lookup(&counters, &key);
        if (value) __sync_fetch_and_add(value, 1);
        return 1;
      }
      """
    let program = try BPFProgram.load(
      BPFObject(BPFCompiler.object(source)).program(named: "drop"), .xdp,
      maps: ["counters": counters.descriptor.raw])
    let run = try program.testRun(Self.packet, repeating: 1_000, liveFrames: true, batch: 64)
    #expect(run.data.isEmpty)
    #expect(try counters.value(of: UInt32(1), as: UInt64.self) == 1_000)
  }

  @Test func aRefusalShowsTheFunctionAndTheVerifiersLastLines() throws {
    let source = """
      separate static int peek(struct xdp_md *context) { return byte(context, 3); }
      program("xdp/edge") int edge(struct xdp_md *context) { return peek(context) + 1; }
      """
    let code = try BPFObject(BPFCompiler.object(source)).program(named: "edge")
    let error = try #require(throws: PlatformError.self) { _ = try BPFProgram.load(code, .xdp) }
    #expect(error.reason == .refused)
    #expect(error.errno.name == "EACCES")
    let lines = "\(error)".split(separator: "\n")
    #expect(lines.first?.contains("program edge of section xdp/edge") == true, "\(error)")
    #expect(lines.first?.contains("in function peek, instruction") == true, "\(error)")
    #expect("\(error)".contains("invalid access to packet"), "\(error)")
    #expect(lines.count <= 21)
    #expect(lines.last?.hasPrefix("processed") == false)
  }

  @Test func aMapWithoutDescriptorIsNamed() throws {
    let code = try BPFObject(BPFCompiler.object(BPFCompiler.counting)).program(named: "count")
    let error = try #require(throws: PlatformError.self) { _ = try BPFProgram.load(code, .xdp) }
    #expect(error.reason == .invalid)
    #expect("\(error)".contains("Function count uses map counters"), "\(error)")
  }

  @Test(arguments: [
    ("xdp", BPFProgramType.xdp), ("xdp/mux", .xdp), ("xdp.frags", .xdp), ("tc", .classifier),
    ("tc/host", .classifier), ("classifier", .classifier), ("tcx", nil), ("", nil), ("kprobe/xdp", nil),
  ])
  func sectionsSayWhereAProgramRuns(section: String, type: BPFProgramType?) {
    #expect(BPFProgramType(section: section) == type)
  }

  @Test func aPacketBeyondTheLimitIsRefused() throws {
    let program = try BPFProgram.load(BPFCode("pass", [.move(0, 2), .exit]), .xdp)
    for count in [2_000_000, 4] {
      let packet = [UInt8](repeating: 0, count: count)
      let error = try #require(throws: PlatformError.self) { _ = try program.testRun(packet) }
      #expect(error.reason == .invalid)
    }
  }
}
