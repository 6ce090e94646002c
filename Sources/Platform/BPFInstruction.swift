/// One eBPF instruction: `struct bpf_insn`, 8 bytes (RFC 9669, section 3).
///
/// ```
///  0      1              2       4           8
///  |opcode|src<<4 | dst  |offset |immediate  |
/// ```
public struct BPFInstruction: Hashable, Sendable, BitwiseCopyable {
  /// What is done.
  public var opcode: UInt8
  /// The destination register in the lower four bits, the source register in the upper four.
  public var registers: UInt8
  /// The distance of a jump in instructions, or of an access in bytes.
  public var offset: Int16
  /// A constant, or the number of a helper.
  public var immediate: Int32

  /// Describes an instruction.
  public init(
    opcode: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
  ) {
    self.opcode = opcode
    self.registers = source << 4 | destination & 0xf
    self.offset = offset
    self.immediate = immediate
  }

  /// The source register, or what stands in its place: a BPF_PSEUDO_ number.
  public var source: UInt8 {
    get { registers >> 4 }
    set { registers = newValue << 4 | registers & 0xf }
  }

  /// `ld_imm64`, which takes two slots.
  static let loadImmediate64: UInt8 = 0x18
  /// `call`, of a helper or of another function.
  static let call: UInt8 = 0x85
  /// Source of a `ld_imm64`: the immediate is a map's descriptor.
  static let mapDescriptor: UInt8 = 1
  /// Source of a `ld_imm64`: the immediates are a map's descriptor and an offset into its first value.
  static let mapValue: UInt8 = 2
  /// Source of a `call`: the immediate is a distance in instructions.
  static let localCall: UInt8 = 1

  /// Whether it calls a function of the same program.
  var isLocalCall: Bool { opcode == Self.call && source == Self.localCall }
}

extension BPFInstruction {
  /// `destination = immediate`, with the sign extended to 64 bits.
  public static func move(_ destination: UInt8, _ immediate: Int32) -> BPFInstruction {
    BPFInstruction(opcode: 0xb7, destination: destination, immediate: immediate)
  }

  /// `destination = source`, 64 bits.
  public static func move(_ destination: UInt8, from source: UInt8) -> BPFInstruction {
    BPFInstruction(opcode: 0xbf, destination: destination, source: source)
  }

  /// `destination += immediate`, 64 bits.
  public static func add(_ destination: UInt8, _ immediate: Int32) -> BPFInstruction {
    BPFInstruction(opcode: 0x07, destination: destination, immediate: immediate)
  }

  /// `destination += source`, 64 bits.
  public static func add(_ destination: UInt8, from source: UInt8) -> BPFInstruction {
    BPFInstruction(opcode: 0x0f, destination: destination, source: source)
  }

  /// `destination = *(width *)(source + offset)`; the width is 1, 2, 4 or 8 bytes.
  public static func load(
    _ destination: UInt8, from source: UInt8, _ offset: Int16, width: Int
  ) -> BPFInstruction {
    BPFInstruction(opcode: 0x61 | size(width), destination: destination, source: source, offset: offset)
  }

  /// `*(width *)(destination + offset) = source`; the width is 1, 2, 4 or 8 bytes.
  public static func store(
    _ source: UInt8, to destination: UInt8, _ offset: Int16, width: Int
  ) -> BPFInstruction {
    BPFInstruction(opcode: 0x63 | size(width), destination: destination, source: source, offset: offset)
  }

  /// `*(width *)(destination + offset) = immediate`; the width is 1, 2, 4 or 8 bytes.
  public static func store(
    immediate: Int32, to destination: UInt8, _ offset: Int16, width: Int
  ) -> BPFInstruction {
    BPFInstruction(opcode: 0x62 | size(width), destination: destination, offset: offset, immediate: immediate)
  }

  /// Skips `distance` instructions when a register equals a constant, compared as 64 bits.
  public static func jump(_ distance: Int16, if register: UInt8, equals immediate: Int32) -> BPFInstruction {
    BPFInstruction(opcode: 0x15, destination: register, offset: distance, immediate: immediate)
  }

  /// Calls a helper of the kernel by its number (`enum bpf_func_id`).
  public static func call(helper: Int32) -> BPFInstruction {
    BPFInstruction(opcode: call, immediate: helper)
  }

  /// Returns register 0.
  public static let exit = BPFInstruction(opcode: 0x95)

  /// `destination = ` a map, to be named when the program is loaded: two slots.
  static func loadMap(_ destination: UInt8) -> [BPFInstruction] {
    [
      BPFInstruction(opcode: loadImmediate64, destination: destination, source: mapDescriptor),
      BPFInstruction(opcode: 0),
    ]
  }

  private static func size(_ width: Int) -> UInt8 {
    switch width {
    case 1: 0x10
    case 2: 0x08
    case 4: 0x00
    case 8: 0x18
    default: preconditionFailure("a width of 1, 2, 4 or 8 bytes")
    }
  }
}
