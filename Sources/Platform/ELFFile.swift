internal import Glibc

/// The sections, symbols and relocations of a relocatable ELF64 object of little-endian eBPF.
///
/// Every offset and size is checked against the bytes there are; nothing is believed. The format is that of the
/// System V ABI, chapter 4, and elf(5).
struct ELFFile {
  /// A section header (Elf64_Shdr).
  struct Section {
    let name: String
    let type: UInt32
    let flags: UInt64
    let link: Int
    let info: Int
    /// Where its bytes are; empty for a section without bytes in the file.
    let range: Range<Int>

    var isCode: Bool { type == ELFFile.programBits && flags & 4 != 0 }
    var isConstants: Bool { type == ELFFile.programBits && (name == ".rodata" || name.hasPrefix(".rodata.")) }
    var isMaps: Bool { name == "maps" || name == ".maps" }
  }

  /// An entry of the symbol table (Elf64_Sym).
  struct Symbol {
    let name: String
    let binding: UInt8
    let type: UInt8
    /// The index of its section; 0 when another object defines it.
    let section: Int
    let value: Int
    let size: Int

    var isFunction: Bool { type == 2 }
    var isLocal: Bool { binding == 0 }
  }

  /// An entry of a relocation section (Elf64_Rel).
  struct Relocation {
    let symbol: Int
    let type: UInt32
  }

  static let programBits: UInt32 = 1
  private static let symbolTable: UInt32 = 2
  private static let relocationsWithAddend: UInt32 = 4
  private static let noBits: UInt32 = 8
  private static let relocations: UInt32 = 9

  let bytes: [UInt8]
  private(set) var sections: [Section] = []
  private(set) var symbols: [Symbol] = []
  /// By the section they apply to and the offset in it.
  private(set) var relocations: [Int: [Int: Relocation]] = [:]

  init(_ bytes: [UInt8]) throws(PlatformError) {
    self.bytes = bytes
    guard bytes.count <= Limits.bpfObjectBytes else {
      throw Self.flaw("", "It has \(bytes.count) bytes, and at most \(Limits.bpfObjectBytes) are read.")
    }
    let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]
    guard bytes.count >= 64, bytes.starts(with: magic), try number(16, UInt16.self) == 1 else {
      throw Self.flaw("", "It is not a relocatable 64-bit little-endian ELF object.")
    }
    guard try number(18, UInt16.self) == 247 else {
      throw Self.flaw("", "It is not for eBPF (machine EM_BPF, 247).")
    }
    try readSections()
    try readSymbols()
    try readRelocations()
  }

  /// An error about the object, with a sentence on what is wrong.
  static func flaw(_ place: String, _ sentence: String) -> PlatformError {
    PlatformError(
      "read", place.isEmpty ? "the BPF object" : "\(place) of the BPF object", Errno(rawValue: ENOEXEC),
      reason: .invalid, advice: sentence)
  }

  /// A little-endian number at an offset.
  func number<Number: FixedWidthInteger & UnsignedInteger>(
    _ offset: Int, _: Number.Type
  ) throws(PlatformError) -> Number {
    let width = Number.bitWidth / 8
    guard offset >= 0, offset <= bytes.count - width else {
      throw Self.flaw("", "It ends before offset \(offset).")
    }
    var value: Number = 0
    for step in 0..<width { value |= Number(bytes[offset + step]) << (8 * step) }
    return value
  }

  private func position(_ offset: Int) throws(PlatformError) -> Int {
    guard let position = Int(exactly: try number(offset, UInt64.self)), position <= Limits.bpfObjectBytes
    else {
      throw Self.flaw("", "The number at offset \(offset) is too large.")
    }
    return position
  }

  /// The text at an offset of a string table, up to its closing zero.
  private func text(_ table: Range<Int>, _ offset: Int) throws(PlatformError) -> String {
    guard offset < table.count else { throw Self.flaw("", "A name lies outside of the table of names.") }
    let rest = bytes[(table.lowerBound + offset)..<table.upperBound].prefix(Limits.bpfSymbolBytes + 1)
    guard let end = rest.firstIndex(of: 0) else {
      throw Self.flaw("", "A name has no end within \(Limits.bpfSymbolBytes) bytes.")
    }
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  private mutating func readSections() throws(PlatformError) {
    let table = try position(40)
    let size = Int(try number(58, UInt16.self))
    let count = Int(try number(60, UInt16.self))
    let names = Int(try number(62, UInt16.self))
    guard size == 64, table + size * count <= bytes.count, names < count else {
      throw Self.flaw("the section table", "It lies outside of the object.")
    }
    let nameTable = try range(table + names * size, "the table of section names")
    for index in 0..<count {
      let header = table + index * size
      let name = try text(nameTable, Int(try number(header, UInt32.self)))
      sections.append(
        Section(
          name: name, type: try number(header + 4, UInt32.self), flags: try number(header + 8, UInt64.self),
          link: Int(try number(header + 40, UInt32.self)), info: Int(try number(header + 44, UInt32.self)),
          range: try range(header, "section \(name)")))
    }
  }

  private func range(_ header: Int, _ place: String) throws(PlatformError) -> Range<Int> {
    guard try number(header + 4, UInt32.self) != Self.noBits else { return 0..<0 }
    let offset = try position(header + 24)
    let size = try position(header + 32)
    guard offset + size <= bytes.count else { throw Self.flaw(place, "It lies outside of the object.") }
    return offset..<offset + size
  }

  private mutating func readSymbols() throws(PlatformError) {
    guard let table = sections.first(where: { $0.type == Self.symbolTable }) else {
      throw Self.flaw("the symbol table", "There is none.")
    }
    guard sections.indices.contains(table.link), table.range.count % 24 == 0 else {
      throw Self.flaw("the symbol table", "It is damaged.")
    }
    let names = sections[table.link].range
    for entry in stride(from: table.range.lowerBound, to: table.range.upperBound, by: 24) {
      let info = bytes[entry + 4]
      let section = Int(try number(entry + 6, UInt16.self))
      let name = try text(names, Int(try number(entry, UInt32.self)))
      symbols.append(
        Symbol(
          name: name.isEmpty && sections.indices.contains(section) ? sections[section].name : name,
          binding: info >> 4, type: info & 0xf, section: section, value: try position(entry + 8),
          size: try position(entry + 16)))
    }
  }

  private mutating func readRelocations() throws(PlatformError) {
    for section in sections {
      guard sections.indices.contains(section.info) else { continue }
      let target = sections[section.info]
      guard target.isCode || target.isConstants else { continue }
      if section.type == Self.relocationsWithAddend {
        throw Self.flaw(
          "section \(section.name)", "Relocations with addends (SHT_RELA) are not used by eBPF.")
      }
      guard section.type == Self.relocations else { continue }
      guard section.range.count % 16 == 0 else {
        throw Self.flaw("section \(section.name)", "Its size is not a multiple of 16.")
      }
      for entry in stride(from: section.range.lowerBound, to: section.range.upperBound, by: 16) {
        let offset = try position(entry)
        let type = try number(entry + 8, UInt32.self)
        let symbol = Int(try number(entry + 12, UInt32.self))
        guard symbols.indices.contains(symbol), offset < target.range.count else {
          throw Self.flaw("section \(section.name)", "A relocation lies outside, or names no symbol.")
        }
        relocations[section.info, default: [:]][offset] = Relocation(symbol: symbol, type: type)
      }
    }
  }
}
