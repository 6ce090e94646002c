import Glibc
import Platform
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root")) struct NamespaceTests {
  @Test func aNamespaceComesAndGoes() throws {
    var name = ""
    do {
      let test = try TestNamespace()
      name = test.name
      #expect(NetworkNamespace.exists(name))
      #expect(try Command.lines("ip", "netns").contains { $0.split(separator: " ").first == name[...] })
      let taken = try #require(throws: PlatformError.self) { _ = try NetworkNamespace.create(named: name) }
      #expect(taken.reason == .namespaceTaken)
    }
    #expect(!NetworkNamespace.exists(name))
    let missing = try #require(throws: PlatformError.self) { _ = try NetworkNamespace.open(named: name) }
    #expect(missing.reason == .namespaceMissing)
    #expect("\(missing)".contains("ip netns add"))
    let gone = try #require(throws: PlatformError.self) { try NetworkNamespace.remove(named: name) }
    #expect(gone.reason == .namespaceMissing)
  }

  @Test func workIsDoneInsideAndTheCallerStaysOutside() throws {
    let test = try TestNamespace()
    let outside = try Self.identity()
    let inside = try test.namespace.run { () throws(PlatformError) in try Self.identity() }
    let after = try Self.identity()
    #expect(inside != outside)
    #expect(after == outside)
    let again = try NetworkNamespace.open(named: test.name).run { () throws(PlatformError) in
      try Self.identity()
    }
    #expect(again == inside)
    let own = try NetworkNamespace.open(ofProcess: getpid()).run { () throws(PlatformError) in
      try Self.identity()
    }
    #expect(own == outside)
  }

  @Test func whatTheWorkThrowsComesOut() throws {
    let test = try TestNamespace()
    do throws(PlatformError) {
      try test.namespace.run { () throws(PlatformError) in
        throw PlatformError("try", "this", Errno(rawValue: EBUSY))
      }
      Issue.record("it throws")
    } catch {
      #expect(error.attempt == "try")
    }
  }

  @Test(arguments: ["", ".", "..", "a/b"]) func namesThatAreNoFileNamesAreInvalid(name: String) throws {
    let error = try #require(throws: PlatformError.self) { _ = try NetworkNamespace.open(named: name) }
    #expect(error.reason == .invalid)
    #expect(!NetworkNamespace.exists(name))
  }

  @Test func withoutPrivilegeTheMissingOneIsNamed() async {
    await #expect(processExitsWith: .success) {
      let before = try Capabilities.effective()
      #expect(before.complaint() == nil)
      #expect(setuid(65_534) == 0)
      let after = try Capabilities.effective()
      #expect(!after.contains(.netAdmin))
      #expect(after.complaint()?.contains("CAP_NET_ADMIN") == true)
      do throws(PlatformError) {
        _ = try TUN.open("plattest-none")
        Issue.record("it takes a privilege")
      } catch {
        #expect(error.reason == .privilege)
        #expect("\(error)".contains("CAP_NET_ADMIN"))
      }
    }
  }

  /// The number of the calling thread's network namespace.
  private static func identity() throws(PlatformError) -> UInt {
    var info = stat()
    guard unsafe stat("/proc/thread-self/ns/net", &info) == 0 else {
      throw PlatformError("identify", "the namespace", .current)
    }
    return info.st_ino
  }
}
