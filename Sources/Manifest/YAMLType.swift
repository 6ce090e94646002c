public import Control
public import Wire

/// A way to read a value: what is expected, in words, and how it is read.
public struct YAMLType<Value> {
  /// Completes the sentence "it must be ...".
  public let expects: String
  /// The value; nil when an error has been reported.
  public let read: (YAMLValue, YAMLErrors) -> Value?

  /// Joins the two.
  public init(expects: String, read: @escaping (YAMLValue, YAMLErrors) -> Value?) {
    self.expects = expects
    self.read = read
  }

  /// Reads text that a function understands; quotes make no difference.
  public static func text(expects: String, _ parse: @escaping (String) -> Value?) -> YAMLType {
    YAMLType(expects: expects) { value, errors in
      guard case .scalar(let text, _) = value.content, let parsed = parse(text) else {
        errors.add("must be \(expects), not \(quote(value))", at: value)
        return nil
      }
      return parsed
    }
  }

  /// Reads a mapping; `finish()` is called afterwards.
  public static func mapping(
    expects: String = "a mapping", _ body: @escaping (inout YAMLMapping) -> Value?
  ) -> YAMLType {
    YAMLType(expects: expects) { value, errors in
      guard var mapping = YAMLMapping(value, errors: errors) else { return nil }
      let result = body(&mapping)
      mapping.finish()
      return result
    }
  }

  /// What was found, for sentences: the text if it is short.
  static func quote(_ value: YAMLValue) -> String {
    guard case .scalar(let text, _) = value.content, !text.isEmpty, text.count <= 64,
      text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
    else { return value.sort }
    return text
  }
}

extension YAMLType where Value == String {
  /// Text that is not empty; a number or a boolean wants quotes to be text.
  public static var string: YAMLType {
    YAMLType(expects: "text") { value, errors in
      guard case .scalar(let text, let isPlain) = value.content else {
        errors.add("must be text, not \(value.sort)", at: value)
        return nil
      }
      guard !isPlain || YAMLScalar(text) == .text else {
        errors.add("must be text, not \(value.sort); write \"\(text)\" in quotes if it is meant", at: value)
        return nil
      }
      guard !text.isEmpty else {
        errors.add("must not be empty", at: value)
        return nil
      }
      return text
    }
  }

  /// The name of a resource: lower-case letters, digits and `-`, at most 63.
  public static var name: YAMLType {
    let expects = "a name of lower-case letters, digits and -, at most \(Limits.nameLength)"
    return string.checked(expects: expects) { name in
      (1...Limits.nameLength).contains(name.utf8.count)
        && name.utf8.allSatisfy { byte in
          byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
    }
  }

  /// The name of a network interface.
  public static var device: YAMLType {
    string.checked(expects: "an interface name of at most \(Limits.deviceNameLength) bytes") { name in
      name.utf8.count <= Limits.deviceNameLength && name != "." && name != ".."
        && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
    }
  }

  /// A file name without a directory, as `ip netns` takes it.
  public static var fileName: YAMLType {
    string.checked(expects: "a file name without /") { name in
      name.utf8.count <= Limits.fileNameLength && name != "." && name != ".."
        && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }
    }
  }

  /// Also requires something of the text.
  public func checked(expects: String, _ isRight: @escaping (String) -> Bool) -> YAMLType {
    let read = read
    return YAMLType(expects: expects) { value, errors in
      guard let text = read(value, errors) else { return nil }
      guard isRight(text) else {
        errors.add("must be \(expects), not \(Self.quote(value))", at: value)
        return nil
      }
      return text
    }
  }
}

extension YAMLType where Value == Bool {
  /// `true` or `false`.
  public static var boolean: YAMLType {
    YAMLType(expects: "true or false") { value, errors in
      switch value.content {
      case .scalar("true", isPlain: true): return true
      case .scalar("false", isPlain: true): return false
      default:
        errors.add("must be true or false, not \(quote(value))", at: value)
        return nil
      }
    }
  }
}

extension YAMLType where Value == Int {
  /// A whole number, written in decimal without quotes.
  public static func integer(_ range: ClosedRange<Int>) -> YAMLType {
    let expects = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return YAMLType(expects: expects) { value, errors in
      guard case .scalar(let text, isPlain: true) = value.content, text.utf8.count <= 12,
        text == "0" || !(text.hasPrefix("0") || text.hasPrefix("+") || text.hasPrefix("-0")),
        let number = Int(text), range.contains(number)
      else {
        errors.add("must be \(expects), not \(quote(value))", at: value)
        return nil
      }
      return number
    }
  }

  /// A duration in milliseconds.
  public static func duration(_ range: ClosedRange<Int>) -> YAMLType {
    let bounds =
      "\(DurationText.text(milliseconds: range.lowerBound)) to \(DurationText.text(milliseconds: range.upperBound))"
    return .text(expects: "a duration such as 500ms, 2s, 4m or 1h, from \(bounds)") { text in
      DurationText.milliseconds(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension YAMLType where Value == UInt16 {
  /// A port from 1 to 65535.
  public static var port: YAMLType {
    YAMLType(expects: "a port from 1 to 65535") { value, errors in
      YAMLType<Int>.integer(1...65535).read(value, errors).map { UInt16($0) }
    }
  }
}

extension YAMLType where Value == IPv4Address {
  /// Dotted decimal.
  public static var address: YAMLType {
    .text(expects: "an IPv4 address such as 10.0.0.1") { IPv4Address($0) }
  }
}

extension YAMLType where Value == IPv4Prefix {
  /// CIDR notation without host bits.
  public static var prefix: YAMLType {
    YAMLType(expects: "an IPv4 prefix such as 10.0.0.0/24") { value, errors in
      guard case .scalar(let text, _) = value.content, let prefix = IPv4Prefix(text) else {
        errors.add("must be an IPv4 prefix such as 10.0.0.0/24\(hint(value))", at: value)
        return nil
      }
      return prefix
    }
  }

  private static func hint(_ value: YAMLValue) -> String {
    guard case .scalar(let text, _) = value.content else { return ", not \(value.sort)" }
    let parts = text.split(separator: "/")
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = UInt8(parts[1]),
      length <= 32
    else { return ", not \(quote(value))" }
    return "; did you mean \(IPv4Prefix(address, length: length))?"
  }
}

extension YAMLType where Value == ManagerAddress {
  /// `HOST:PORT`.
  public static var managerAddress: YAMLType {
    .text(expects: "an address and a port such as 10.1.1.2:4600") { ManagerAddress($0) }
  }
}

extension YAMLType {
  /// One of the cases of an enumeration, by its raw value.
  public static func oneOf(_ type: Value.Type) -> YAMLType
  where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    oneOf(Value.allCases.map { ($0.rawValue, $0) })
  }

  /// One of several words.
  public static func oneOf(_ words: [(String, Value)]) -> YAMLType {
    let list = words.map(\.0)
    let expects =
      list.count > 1 ? list.dropLast().joined(separator: ", ") + " or " + (list.last ?? "") : list.joined()
    return .text(expects: expects) { text in words.first { $0.0 == text }?.1 }
  }

  /// A list, every element of which is read.
  public static func list<Element>(of element: YAMLType<Element>, atLeast: Int = 0, atMost: Int = .max)
    -> YAMLType
  where Value == [Element] {
    YAMLType(expects: "a list") { value, errors in
      guard case .sequence(let elements) = value.content else {
        errors.add("must be a list, not \(value.sort); each must be \(element.expects)", at: value)
        return nil
      }
      guard elements.count >= atLeast else {
        errors.add("must have at least \(atLeast == 1 ? "one element" : "\(atLeast) elements")", at: value)
        return nil
      }
      guard elements.count <= atMost else {
        errors.add("must have at most \(atMost) elements, not \(elements.count)", at: value)
        return nil
      }
      let read = elements.map { element.read($0, errors) }
      let good = read.compactMap(\.self)
      return good.count == read.count ? good : nil
    }
  }
}
