/// Puts a program and the functions it calls, directly or not, into one sequence of instructions.
struct BPFLinker {
  /// A function of the object, before it is placed.
  struct Function {
    let name: String
    let section: Int
    /// The index of its first instruction in the section.
    let start: Int
    let count: Int
    let isEntry: Bool
  }

  private struct Place: Hashable {
    let section: Int
    let start: Int
  }

  /// What has been linked of one program.
  private struct Draft {
    var instructions: [BPFInstruction] = []
    var references: [BPFCode.Reference] = []
    var functions: [BPFCode.Function] = []
    var constants: [String: [UInt8]] = [:]
    var places: [Place: Int] = [:]
    var waiting: [(function: Function, base: Int)] = []
  }

  private static let type64: UInt32 = 1
  private static let typeCall: UInt32 = 10

  private let file: ELFFile
  private var functions: [Place: Function] = [:]
  /// Those that the kernel may call, in the order of the symbol table.
  private(set) var entries: [Function] = []

  init(_ file: ELFFile) throws(PlatformError) {
    self.file = file
    for symbol in file.symbols where symbol.isFunction && file.sections.indices.contains(symbol.section) {
      let section = file.sections[symbol.section]
      guard section.isCode else { continue }
      guard symbol.value % 8 == 0, symbol.size % 8 == 0, symbol.size > 0,
        symbol.value + symbol.size <= section.range.count
      else { throw ELFFile.flaw("function \(symbol.name)", "It lies outside of section \(section.name).") }
      let function = Function(
        name: symbol.name, section: symbol.section, start: symbol.value / 8, count: symbol.size / 8,
        isEntry: !symbol.isLocal && section.name != ".text")
      let place = Place(section: function.section, start: function.start)
      if functions[place] == nil { functions[place] = function }
      if function.isEntry { entries.append(function) }
    }
  }

  /// Links one program.
  func link(_ entry: Function) throws(PlatformError) -> BPFCode {
    var draft = Draft()
    _ = try place(entry, in: &draft)
    while let (function, base) = draft.waiting.popLast() { try resolve(function, at: base, in: &draft) }
    return BPFCode(
      name: entry.name, section: file.sections[entry.section].name, instructions: draft.instructions,
      references: draft.references.sorted { $0.index < $1.index },
      functions: draft.functions.sorted { $0.start < $1.start }, constants: draft.constants)
  }

  /// Where a function begins in the draft; appends it when it is not there.
  private func place(_ function: Function, in draft: inout Draft) throws(PlatformError) -> Int {
    let place = Place(section: function.section, start: function.start)
    if let base = draft.places[place] { return base }
    let base = draft.instructions.count
    guard base + function.count <= Limits.bpfInstructions else {
      throw ELFFile.flaw(
        "function \(function.name)", "The program has over \(Limits.bpfInstructions) instructions.")
    }
    let section = file.sections[function.section].range
    for index in 0..<function.count {
      let offset = section.lowerBound + (function.start + index) * 8
      var instruction = BPFInstruction(opcode: try file.number(offset, UInt8.self))
      instruction.registers = try file.number(offset + 1, UInt8.self)
      instruction.offset = Int16(truncatingIfNeeded: try file.number(offset + 2, UInt16.self))
      instruction.immediate = Int32(truncatingIfNeeded: try file.number(offset + 4, UInt32.self))
      draft.instructions.append(instruction)
    }
    draft.places[place] = base
    draft.functions.append(BPFCode.Function(name: function.name, start: base))
    draft.waiting.append((function, base))
    return base
  }

  /// Fills in what a placed function refers to.
  private func resolve(_ function: Function, at base: Int, in draft: inout Draft) throws(PlatformError) {
    let relocations = file.relocations[function.section] ?? [:]
    var index = 0
    while index < function.count {
      let instruction = draft.instructions[base + index]
      let isWide = instruction.opcode == BPFInstruction.loadImmediate64
      if isWide && index + 1 >= function.count {
        throw ELFFile.flaw("function \(function.name)", "Its last instruction lacks its second half.")
      }
      if let relocation = relocations[(function.start + index) * 8] {
        let symbol = file.symbols[relocation.symbol]
        switch (relocation.type, isWide) {
        case (Self.type64, true): try refer(function, base + index, to: symbol, in: &draft)
        case (Self.typeCall, false) where instruction.opcode == BPFInstruction.call:
          try call(function, base + index, symbol, in: &draft)
        default:
          throw ELFFile.flaw(
            "function \(function.name)",
            "Relocation \(relocation.type) at instruction \(index), to \(symbol.name), is not known.")
        }
      } else if instruction.isLocalCall {
        let start = function.start + index + 1 + Int(instruction.immediate)
        let target = Place(section: function.section, start: start)
        try call(function, base + index, target, "instruction \(start)", in: &draft)
      }
      index += isWide ? 2 : 1
    }
  }

  private func call(
    _ function: Function, _ index: Int, _ symbol: ELFFile.Symbol, in draft: inout Draft
  ) throws(PlatformError) {
    guard symbol.section != 0 else {
      throw ELFFile.flaw(
        "function \(function.name)",
        "It calls \(symbol.name), which the object does not define; write it so that the compiler needs no call."
      )
    }
    // Against a section's symbol the immediate holds the distance from the section's start, less one.
    let start = symbol.value / 8 + Int(draft.instructions[index].immediate) + 1
    try call(function, index, Place(section: symbol.section, start: start), symbol.name, in: &draft)
  }

  private func call(
    _ function: Function, _ index: Int, _ target: Place, _ name: String, in draft: inout Draft
  ) throws(PlatformError) {
    guard let callee = functions[target] else {
      throw ELFFile.flaw("function \(function.name)", "It calls \(name), where no function begins.")
    }
    let start = try place(callee, in: &draft)
    draft.instructions[index].source = BPFInstruction.localCall
    draft.instructions[index].immediate = Int32(start - index - 1)
  }

  private func refer(
    _ function: Function, _ index: Int, to symbol: ELFFile.Symbol, in draft: inout Draft
  ) throws(PlatformError) {
    let section = file.sections.indices.contains(symbol.section) ? file.sections[symbol.section] : nil
    guard symbol.section != 0, section?.isMaps != true else {
      draft.references.append(BPFCode.Reference(index: index, target: .map(symbol.name)))
      return
    }
    guard let section, section.isConstants else {
      let place = section.map { "section \($0.name)" } ?? "no section"
      throw ELFFile.flaw(
        "function \(function.name)",
        "It takes the address of \(symbol.name) in \(place); only maps and constants have addresses.")
    }
    guard (file.relocations[symbol.section] ?? [:]).isEmpty else {
      throw ELFFile.flaw(
        "function \(function.name)", "Its constants in \(section.name) hold addresses, which eBPF has not.")
    }
    let offset = symbol.value + Int(draft.instructions[index].immediate)
    guard (0..<section.range.count).contains(offset) else {
      throw ELFFile.flaw(
        "function \(function.name)", "It refers to bytes outside of section \(section.name).")
    }
    draft.references.append(
      BPFCode.Reference(index: index, target: .constant(section: section.name, offset: Int32(offset))))
    let bytes = Array(file.bytes[section.range])
    guard draft.constants.updateValue(bytes, forKey: section.name) ?? bytes == bytes else {
      throw ELFFile.flaw("section \(section.name)", "Two sections have its name.")
    }
  }
}
