internal import CBPF
internal import Glibc

/// A program the kernel's verifier has accepted.
///
/// It lives as long as a descriptor, a link or filter that runs it, a map of programs, or a pin. The kernel
/// holds the maps it uses.
public struct BPFProgram: ~Copyable, Sendable {
  /// What the kernel says of a program.
  public struct Info: Hashable, Sendable {
    /// The kernel's number for it, unique since the machine's start.
    public let id: UInt32
    /// The first 15 bytes of its name.
    public let name: String
    /// A hash of its instructions as they were loaded, 8 bytes.
    public let tag: [UInt8]
    /// The number of instructions, as the verifier has rewritten them.
    public let instructionCount: Int
    /// The instructions the verifier went through; 0 before Linux 5.16.
    public let verifiedCount: Int
  }

  /// For links, filters and maps of programs; valid as long as the owner lives.
  public let descriptor: FileDescriptor
  /// The name of the function that the kernel calls.
  public let name: String
  /// Where it runs.
  public let type: BPFProgramType

  private init(_ descriptor: consuming FileDescriptor, _ name: String, _ type: BPFProgramType) {
    self.descriptor = descriptor
    self.name = name
    self.type = type
  }

  /// Gives a program to the kernel.
  ///
  /// `maps` has a descriptor for every name in `code.maps`. A program of section `xdp.frags` may meet packets
  /// larger than a page. When the verifier refuses the program, the error has
  /// reason `refused`, and its advice ends with the function and the last lines of the verifier's log.
  public static func load(
    _ code: BPFCode, _ type: BPFProgramType, maps: [String: CInt] = [:], license: String = "GPL"
  ) throws(PlatformError) -> BPFProgram {
    var instructions = code.instructions
    // The kernel holds the constants' maps once the program is loaded.
    var constants: [String: CInt] = [:]
    defer { for raw in constants.values { _ = Glibc.close(raw) } }
    for (section, bytes) in code.constants {
      constants[section] = try BPFMap.constants(section, bytes).release()
    }
    for reference in code.references {
      try resolve(reference, maps, constants, code, &instructions)
    }
    let error: Errno
    switch unsafe submit(code, type, instructions, license, log: nil, 0) {
    case .success(let raw): return BPFProgram(FileDescriptor(owning: raw), code.name, type)
    case .failure(let reason): error = reason
    }
    // The log is asked for only now: writing it makes loading several times slower.
    let log = BPFScratch(byteCount: Limits.verifierLogBytes + 1)
    let text = unsafe log.start.assumingMemoryBound(to: CChar.self)
    let again = unsafe submit(code, type, instructions, license, log: text, UInt32(Limits.verifierLogBytes))
    guard case .success(let raw) = again else {
      throw refusal(code, error, unsafe String(cString: text))
    }
    return BPFProgram(FileDescriptor(owning: raw), code.name, type)
  }

  private static func resolve(
    _ reference: BPFCode.Reference, _ maps: [String: CInt], _ constants: [String: CInt], _ code: BPFCode,
    _ instructions: inout [BPFInstruction]
  ) throws(PlatformError) {
    let index = reference.index
    precondition(instructions.indices.contains(index + 1), "a reference at an instruction of two slots")
    switch reference.target {
    case .map(let name):
      guard let raw = maps[name] else {
        throw PlatformError(
          "load", "program \(code.name)", Errno(rawValue: ENOENT), reason: .invalid,
          advice: "Function \(code.function(at: index)) uses map \(name), for which there is no descriptor.")
      }
      instructions[index].source = BPFInstruction.mapDescriptor
      instructions[index].immediate = raw
    case .constant(let section, let offset):
      instructions[index].source = BPFInstruction.mapValue
      instructions[index].immediate = constants[section] ?? -1
      instructions[index + 1].immediate = offset
    }
  }

  /// BPF_F_XDP_HAS_FRAGS (Linux 5.18): packets may have more bytes than one buffer.
  private static let fragments: UInt32 = 1 << 5

  private static func submit(
    _ code: BPFCode, _ type: BPFProgramType, _ instructions: [BPFInstruction], _ license: String,
    log: UnsafeMutablePointer<CChar>?, _ logBytes: UInt32
  ) -> Result<CInt, Errno> {
    let name = BPFLibrary.shortName(code.name)
    return BPFLibrary.call {
      unsafe instructions.withUnsafeBufferPointer { slots in
        unsafe cbpf_program_load(
          type.rawValue, type.attachType, name, license, slots.baseAddress, slots.count,
          code.section.hasPrefix("xdp.frags") ? fragments : 0, log, logBytes)
      }
    }
  }

  private static func refusal(_ code: BPFCode, _ error: Errno, _ text: String) -> PlatformError {
    let object = "program \(code.name)" + (code.section.isEmpty ? "" : " of section \(code.section)")
    let log = VerifierLog(text)
    guard !log.lines.isEmpty else { return PlatformError("load", object, error) }
    let place = log.instruction.map { " in function \(code.function(at: $0)), instruction \($0)" } ?? ""
    return PlatformError(
      "load", object, error, reason: .refused,
      advice: "The kernel's verifier refused it\(place):\n" + log.lines.joined(separator: "\n"))
  }

  /// Opens a program by the name it has below a bpffs; nil when there is none of that name.
  public static func open(
    pinned path: String, _ type: BPFProgramType
  ) throws(PlatformError) -> BPFProgram? {
    guard let descriptor = try BPFPin.open(path, .program) else { return nil }
    return try adopt(descriptor, type, "the program pinned at \(path)")
  }

  /// Opens a program by the kernel's number for it.
  public static func open(id: UInt32, _ type: BPFProgramType) throws(PlatformError) -> BPFProgram {
    let raw = try BPFLibrary.check("open", "program number \(id)") { bpf_prog_get_fd_by_id(id) }
    return try adopt(FileDescriptor(owning: raw), type, "program number \(id)")
  }

  private static func adopt(
    _ descriptor: consuming FileDescriptor, _ type: BPFProgramType, _ object: String
  ) throws(PlatformError) -> BPFProgram {
    let (info, found) = try describe(descriptor.raw, object)
    guard found == type.rawValue else {
      throw PlatformError(
        "use", object, Errno(rawValue: EINVAL), reason: .invalid,
        advice: "It is a program of type \(found); wanted is \(type), \(type.rawValue).")
    }
    return BPFProgram(descriptor, info.name, type)
  }

  /// What the kernel says of the program.
  ///
  /// The corresponding command is `bpftool prog show`.
  public borrowing func info() throws(PlatformError) -> Info {
    try Self.describe(descriptor.raw, "program \(name)").info
  }

  private static func describe(
    _ raw: CInt, _ object: String
  ) throws(PlatformError) -> (info: Info, type: UInt32) {
    var facts = cbpf_program()
    try BPFLibrary.check("describe", object) { unsafe cbpf_program_info(raw, &facts) }
    let tag = unsafe withUnsafeBytes(of: facts.tag) { unsafe Array($0) }
    let name = unsafe withUnsafeBytes(of: facts.name) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let info = Info(
      id: facts.id, name: name, tag: tag, instructionCount: Int(facts.instructions),
      verifiedCount: Int(facts.verified_instructions))
    return (info, facts.type)
  }

  /// Gives the program a name below a bpffs, by which it outlives this process.
  ///
  /// A name that is taken is an error, unless `replacing`: then it passes to this program in one step.
  public borrowing func pin(at path: String, replacing: Bool = false) throws(PlatformError) {
    try BPFPin.pin(descriptor.raw, at: path, replacing: replacing, "program \(name)")
  }
}
