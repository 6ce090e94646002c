import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct SysctlTests {
  @Test func aNodesSettingsAreCheckedAndRepaired() throws {
    let test = try TestNamespace()
    let requirements = SysctlRequirement.node(devices: ["lo"]) + SysctlRequirement.ownSources(device: "lo")
    let findings = try test.namespace.run { () throws(PlatformError) in
      try Sysctl.write("0", to: "net/ipv4/ip_forward")
      try Sysctl.write("1", to: "net/ipv4/conf/all/rp_filter")
      return try SysctlRequirement.check(requirements)
    }
    let forwarding = try #require(findings.first { $0.requirement.path == "net/ipv4/ip_forward" })
    #expect(forwarding.value == "0")
    #expect("\(forwarding)".hasPrefix("net/ipv4/ip_forward is 0, should be 1: "))
    #expect(findings.contains { $0.requirement.path == "net/ipv4/conf/all/rp_filter" && $0.value == "1" })

    let (repaired, left, forwards) = try test.namespace.run { () throws(PlatformError) in
      let repaired = try SysctlRequirement.repair(requirements)
      let left = try SysctlRequirement.check(requirements)
      return (repaired, left, try Sysctl.read("net/ipv4/ip_forward"))
    }
    #expect(repaired == findings)
    #expect(left == [])
    #expect(forwards == "1")
  }

  @Test func settingsBelongToANamespace() throws {
    let one = try TestNamespace()
    let other = try TestNamespace()
    try one.namespace.run { () throws(PlatformError) in try Sysctl.write("1", to: "net/ipv4/ip_forward") }
    try other.namespace.run { () throws(PlatformError) in try Sysctl.write("0", to: "net/ipv4/ip_forward") }
    let value = try one.namespace.run { () throws(PlatformError) in try Sysctl.read("net/ipv4/ip_forward") }
    #expect(value == "1")
  }

  @Test(arguments: ["kernel/hostname", "net/../kernel/hostname", "net//ipv4", "net.ipv4.ip_forward", ""])
  func onlyNetworkSettingsAreReached(path: String) throws {
    let error = try #require(throws: PlatformError.self) { try Sysctl.read(path) }
    #expect(error.reason == .invalid)
  }

  @Test func aMissingSettingIsNamed() throws {
    let path = "net/ipv4/conf/nothing0/rp_filter"
    let error = try #require(throws: PlatformError.self) { try Sysctl.read(path) }
    #expect(error.reason == .missing)
    #expect("\(error)".contains(path))
  }

  @Test(arguments: [("1", "1", true), ("0", "1", false), ("2", "1", false), ("x", "1", false)])
  func equalMeansTheSameNumber(value: String, expected: String, isMet: Bool) {
    let requirement = SysctlRequirement("net/ipv4/ip_forward", expected, because: "of a test")
    #expect(requirement.isMet(by: value) == isMet)
  }

  @Test(arguments: [("1", false), ("2", true), ("3", true), ("many", false)])
  func atLeastMeansNoSmallerNumber(value: String, isMet: Bool) {
    let requirement = SysctlRequirement("net/a/b", "2", comparison: .atLeast, because: "of a test")
    #expect(requirement.isMet(by: value) == isMet)
  }
}
