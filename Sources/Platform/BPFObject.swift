/// The programs of an ELF64 object of little-endian eBPF, as `clang -target bpfel` and our build write it.
///
/// A program is a global function in a section that is not `.text`; the section's name says what it is for.
/// Functions it calls, in whatever section, are linked in behind it. Maps are symbols that the object does not
/// define, or that stand in `maps` or `.maps`. Constants in `.rodata` sections become a frozen map when the
/// program is loaded. Writable globals do not exist: state belongs into maps.
public struct BPFObject: Sendable {
  /// The programs, in the order of the symbol table.
  public let programs: [BPFCode]

  /// Reads an object; whatever the bytes are, they give programs or an error.
  public init(_ bytes: [UInt8]) throws(PlatformError) {
    let linker = try BPFLinker(ELFFile(bytes))
    var programs: [BPFCode] = []
    for function in linker.entries {
      guard programs.count < Limits.bpfPrograms else {
        throw ELFFile.flaw("", "It has more than \(Limits.bpfPrograms) programs.")
      }
      programs.append(try linker.link(function))
    }
    self.programs = programs
  }

  /// The program of a name.
  public func program(named name: String) throws(PlatformError) -> BPFCode {
    guard let program = programs.first(where: { $0.name == name }) else {
      let names = programs.map(\.name).joined(separator: ", ")
      throw ELFFile.flaw("program \(name)", "It is not there; there are: \(names).")
    }
    return program
  }
}
