/// A program before it is loaded: its instructions, with every function it calls behind it, and what is still to
/// be filled in.
public struct BPFCode: Hashable, Sendable {
  /// What a `ld_imm64` is to load.
  public enum Target: Hashable, Sendable {
    /// A map of that name.
    case map(String)
    /// A byte of the constants in `constants`, by section and offset.
    case constant(section: String, offset: Int32)
  }

  /// A `ld_imm64` whose value is known only when the program is loaded.
  public struct Reference: Hashable, Sendable {
    /// The instruction's index.
    public let index: Int
    /// What it loads.
    public let target: Target
  }

  /// A function of the program.
  public struct Function: Hashable, Sendable {
    /// Its symbol.
    public let name: String
    /// The index of its first instruction.
    public let start: Int
  }

  /// The symbol of the function that the kernel calls.
  public let name: String
  /// The section it stands in, which says what it is for: "xdp", "tc/mux".
  public let section: String
  /// The instructions.
  public let instructions: [BPFInstruction]
  /// What is to be filled in, by index.
  public let references: [Reference]
  /// The functions, by their first instruction.
  public let functions: [Function]
  /// The bytes of the read-only sections that `references` name.
  public let constants: [String: [UInt8]]

  /// A program of instructions given directly; `maps` names the map that a `ld_imm64` at an index loads.
  public init(_ name: String, _ instructions: [BPFInstruction], maps: [Int: String] = [:]) {
    self.init(
      name: name, section: "", instructions: instructions,
      references: maps.sorted { $0.key < $1.key }.map { Reference(index: $0.key, target: .map($0.value)) },
      functions: [Function(name: name, start: 0)], constants: [:])
  }

  init(
    name: String, section: String, instructions: [BPFInstruction], references: [Reference],
    functions: [Function], constants: [String: [UInt8]]
  ) {
    self.name = name
    self.section = section
    self.instructions = instructions
    self.references = references
    self.functions = functions
    self.constants = constants
  }

  /// The names of the maps the program uses, sorted.
  public var maps: [String] {
    var names: Set<String> = []
    for reference in references {
      if case .map(let name) = reference.target { names.insert(name) }
    }
    return names.sorted()
  }

  /// The function that an instruction belongs to.
  public func function(at index: Int) -> String { functions.last { $0.start <= index }?.name ?? name }
}
