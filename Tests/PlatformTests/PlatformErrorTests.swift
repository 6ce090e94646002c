import Glibc
import Platform
import Testing

struct PlatformErrorTests {
  @Test(arguments: [
    (EPERM, PlatformError.Reason.privilege, "EPERM"), (EACCES, .privilege, "EACCES"),
    (EOPNOTSUPP, .unsupported, "EOPNOTSUPP"), (ENODEV, .deviceMissing, "ENODEV"), (ESRCH, .missing, "ESRCH"),
    (EEXIST, .exists, "EEXIST"), (EMFILE, .exhausted, "EMFILE"), (EINVAL, .invalid, "EINVAL"),
    (ENETUNREACH, .unreachable, "ENETUNREACH"), (EBUSY, .deviceTaken, "EBUSY"), (EIO, .other, "EIO"),
  ])
  func errorNumbersHaveReasonNameAndAdvice(number: CInt, reason: PlatformError.Reason, name: String) {
    let error = PlatformError("do", "something", Errno(rawValue: number))
    #expect(error.reason == reason)
    #expect(error.errno.name == name)
    #expect("\(error)".hasPrefix("cannot do something: "))
    #expect("\(error)".contains("(\(name)). "))
    #expect("\(error)".hasSuffix("."))
  }

  @Test func aNumberWithoutNameIsShown() {
    #expect(Errno(rawValue: 9999).name == "errno 9999")
    #expect(Errno(rawValue: EPERM).description == "Operation not permitted (EPERM)")
  }

  @Test func privilegesAreReadBitByBit() {
    let capabilities = Capabilities(bits: 1 << 12)
    #expect(capabilities.contains(.netAdmin))
    #expect(!capabilities.contains(.netRaw))
    #expect(capabilities.complaint(needing: [.netAdmin]) == nil)
    #expect(capabilities.complaint(needing: [.netAdmin, .netRaw])?.contains("CAP_NET_RAW") == true)
  }
}
