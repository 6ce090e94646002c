import Wire
import Yams

/// A place of a YAML document: its value, and where it is, for the error that names it.
struct Field {
  /// The value.
  let node: Yams.Node
  /// The file as the operator named it.
  let file: String
  /// `nodes[0].address`; empty for the whole document.
  let path: String

  /// An error that names file, line, path and reason.
  func fault(_ reason: String) -> LabError {
    let line = node.mark.map { ":\($0.line)" } ?? ""
    let place = path.isEmpty ? "" : "\(path): "
    return LabError(.topology, "\(file)\(line): \(place)\(reason)")
  }

  /// The value as a mapping that has no keys but these.
  func mapping(_ allowed: [String]) throws(LabError) -> FieldMapping {
    guard let mapping = node.mapping else {
      throw fault("a mapping is expected, with the keys \(allowed.joined(separator: ", "))")
    }
    var fields: [String: Field] = [:]
    for (key, value) in mapping {
      let name = key.string ?? ""
      let at = Field(node: key, file: file, path: path.isEmpty ? name : "\(path).\(name)")
      guard allowed.contains(name) else {
        throw at.fault("unknown key; known here are \(allowed.joined(separator: ", "))")
      }
      fields[name] = Field(node: value, file: file, path: at.path)
    }
    return FieldMapping(whole: self, fields: fields)
  }

  /// The value as a list.
  func list() throws(LabError) -> [Field] {
    guard let sequence = node.sequence else { throw fault("a list is expected") }
    return sequence.enumerated().map { Field(node: $1, file: file, path: "\(path)[\($0)]") }
  }

  /// The value as text.
  func text() throws(LabError) -> String {
    guard let text = node.scalar?.string, !text.isEmpty else { throw fault("text is expected") }
    return text
  }

  /// The value as a name of lower-case letters, digits and `-`.
  func name(upTo length: Int = Limits.nameLength) throws(LabError) -> String {
    let name = try text()
    guard Self.isName(name, upTo: length) else {
      throw fault("\(name) is not a name: lower-case letters, digits and -, at most \(length)")
    }
    return name
  }

  /// Whether text is a name of lower-case letters, digits and `-`.
  static func isName(_ text: String, upTo length: Int) -> Bool {
    (1...length).contains(text.utf8.count) && text.first != "-"
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
      }
  }

  /// The value as a whole number within a range.
  func number(_ range: ClosedRange<Int>) throws(LabError) -> Int {
    guard let number = Int(try text()), range.contains(number) else {
      throw fault("a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
    }
    return number
  }

  /// The value as `true` or `false`.
  func truth() throws(LabError) -> Bool {
    switch try text() {
    case "true": return true
    case "false": return false
    case let other: throw fault("\(other) is neither true nor false")
    }
  }

  /// The value as an address.
  func address() throws(LabError) -> IPv4Address {
    let text = try text()
    guard let address = IPv4Address(text) else { throw fault("\(text) is not an IPv4 address") }
    return address
  }

  /// The value as a prefix.
  func prefix() throws(LabError) -> IPv4Prefix {
    let text = try text()
    guard let prefix = IPv4Prefix(text) else {
      throw fault("\(text) is not an IPv4 prefix such as 10.0.0.0/24")
    }
    return prefix
  }

  /// The value as `ADDRESS/LENGTH`: an address on a link, and the link's subnet.
  func link() throws(LabError) -> Topology.Link {
    let text = try text()
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = UInt8(parts[1]),
      (8...30).contains(length)
    else { throw fault("\(text) is not an address on a link such as 10.1.1.2/24") }
    let link = Topology.Link(address: address, prefix: IPv4Prefix(address, length: length))
    guard address != link.prefix.address, address != link.router else {
      throw fault("\(address) is taken: \(link.router) is the router's, the first address of \(link.prefix)")
    }
    return link
  }

  /// The value as a whole number of `ms`, `s`, `m` or `h`, in milliseconds.
  func milliseconds(_ range: ClosedRange<Int>) throws(LabError) -> Int {
    let text = try text()
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
    guard let unit = units[String(text.dropFirst(digits.count))], let number = Int(digits), number < 1 << 31
    else {
      throw fault("\(text) is not a duration such as 500ms, 2s, 4m or 1h")
    }
    guard range.contains(number * unit) else {
      throw fault("\(text) is outside \(range.lowerBound)ms to \(range.upperBound)ms")
    }
    return number * unit
  }

  /// The value as one of an enumeration's raw values.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) throws(LabError) -> Choice {
    let text = try text()
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw fault("\(text) is unknown; known here are \(known)")
    }
    return choice
  }
}

/// A mapping whose keys are known to be allowed.
struct FieldMapping {
  /// The mapping itself, for errors.
  let whole: Field
  /// Its values by key.
  let fields: [String: Field]

  /// The value of a key that may be missing.
  subscript(key: String) -> Field? { fields[key] }

  /// The value of a key that must be there.
  func required(_ key: String) throws(LabError) -> Field {
    guard let field = fields[key] else { throw whole.fault("\(key) is missing") }
    return field
  }

  /// The values of a list that may be missing.
  func list(_ key: String) throws(LabError) -> [Field] {
    guard let field = fields[key] else { return [] }
    return try field.list()
  }
}
