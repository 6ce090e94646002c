internal import CBPF

/// What every call to libbpf has in common.
enum BPFLibrary {
  // libbpf writes its warnings to standard error unless told not to; what it knows more than an error number is
  // fetched where it helps, as the verifier's log.
  private static let isQuiet: Bool = {
    cbpf_be_quiet()
    return true
  }()

  /// The number of CPUs the kernel may ever have, which is the number of values of a per-CPU map's key.
  static let possibleCPUs: Int = max(1, Int(libbpf_num_possible_cpus()))

  /// Calls libbpf, which answers with a count, a descriptor or 0, or with a negative error number.
  @inline(always) static func call(_ body: () -> CInt) -> Result<CInt, Errno> {
    _ = isQuiet
    let code = body()
    return code >= 0 ? .success(code) : .failure(Errno(rawValue: -code))
  }

  /// The same, with the failure as an error.
  @discardableResult static func check(
    _ attempt: String, _ object: @autoclosure () -> String, reason: PlatformError.Reason? = nil,
    advice: String? = nil, _ body: () -> CInt
  ) throws(PlatformError) -> CInt {
    switch call(body) {
    case .success(let code): return code
    case .failure(let error):
      throw PlatformError(attempt, object(), error, reason: reason, advice: advice)
    }
  }

  /// A name the kernel accepts for a map or program: 15 letters, digits, dots and underscores at most.
  static func shortName(_ name: String) -> String {
    var short = ""
    for byte in name.utf8.prefix(Limits.bpfNameBytes) {
      let isAllowed =
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
      short.unicodeScalars.append(isAllowed ? Unicode.Scalar(byte) : "_")
    }
    return short
  }
}
