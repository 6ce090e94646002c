import Control
import Testing

@Suite("Validation") struct ValidationTests {
  static let cases =
    ValidationCase.nodes + ValidationCase.roles + ValidationCase.networks + ValidationCase.machines
    + ValidationCase.services + ValidationCase.endpoints + ValidationCase.deletions

  @Test("refuses, naming place and reason", arguments: cases)
  func refuses(_ each: ValidationCase) {
    let state = Sample.state
    let validation = Validation(each.operation, on: state)
    #expect(validation.errors.map(\.key) == each.expected.map(\.key), "\(validation.errors)")
    #expect(validation.errors.map(\.path) == each.expected.map(\.path), "\(validation.errors)")
    for (error, expected) in zip(validation.errors, each.expected) {
      #expect(error.reason.contains(expected.words), "\(error.reason)")
    }
    #expect(!validation.isAccepted)
    #expect(validation.state == state)
    #expect(validation.changes.isEmpty)
  }

  @Test("has no case too few") func count() { #expect(Self.cases.count >= 100) }

  @Test("accepts the sample on nothing, on itself, and away again") func accepts() {
    let created = Validation(.apply(Sample.resources), on: DesiredState())
    #expect(created.errors.isEmpty)
    #expect(created.changes.map(\.key) == Sample.resources.map(\.key))
    #expect(created.changes.allSatisfy { $0.action == .created && $0.before == nil && $0.after != nil })
    #expect(created.state == Sample.state)

    let again = Validation(.apply(Sample.resources), on: created.state)
    #expect(again.isAccepted && again.isIdle)
    #expect(again.changes.allSatisfy { $0.action == .unchanged })

    let deleted = Validation(.delete(Sample.resources.map(\.key)), on: created.state)
    #expect(deleted.isAccepted && !deleted.isIdle)
    #expect(deleted.changes.allSatisfy { $0.action == .deleted && $0.before != nil && $0.after == nil })
    #expect(deleted.state == DesiredState())
  }

  @Test("warns of what is stored only") func warns() {
    let plain = Validation(.apply([service("blue")]), on: Sample.state)
    #expect(plain.warnings.isEmpty)
    let validation = Validation(
      .apply([
        service("blue") {
          $0.fastPath = true
          $0.snat = ["blue-1"]
        }
      ]), on: Sample.state)
    #expect(validation.isAccepted)
    #expect(validation.warnings.map(\.path) == ["spec.fastPath"])
    #expect(validation.changes.map(\.action) == [.configured])
  }

  @Test(
    "accepts what looks odd but is right",
    arguments: [
      [machine("blue-1") { $0.host = "host2" }],
      [service("blue") { $0.endpoints[0].backends = [] }],
      [service("blue") { $0.endpoints[0].backends[0].weight = 0 }],
      [service("blue") { $0.endpoints[1].port = 80 }],
      [service("blue") { $0.endpoints = [] }, service("blue9") { $0.snat = ["spare"] }].dropFirst().map {
        $0
      },
      [service("blue") { $0.vip = ip("203.0.113.20") }, service("green") { $0.vip = ip("203.0.113.10") }],
      [
        node("host1") { $0.locators = prefix("10.64.2.0/24") },
        node("host2") { $0.locators = prefix("10.64.1.0/24") },
      ],
      [node("host1") { $0.locators = prefix("10.64.1.0/30") }],
      [
        node("mux1") {
          $0.roles = [.mux, .host, .manager]; $0.locators = prefix("10.64.9.0/24")
        }
      ],
      [machine("green-9") { ($0.network, $0.dip) = ("green", ip("10.0.0.12")) }],
      [network("red"), machine("red-1") { $0.network = "red" }],
      [machine("spare") { ($0.network, $0.dip) = ("green", ip("10.9.9.9")) }],
    ])
  func accepts(_ resources: [Resource]) {
    let validation = Validation(.apply(resources), on: Sample.state)
    #expect(validation.errors.isEmpty)
    #expect(!validation.isIdle)
  }

  @Test("writing roles in another order is no change") func roles() {
    let validation = Validation(.apply([node("mux1") { $0.roles = [.mux, .manager] }]), on: Sample.state)
    #expect(validation.changes.map(\.action) == [.unchanged])
  }

  @Test("limits the errors it tells") func limit() {
    let resources = (0..<1500).map { machine("m\($0)") { $0.network = "red" } }
    let errors = Validation(.apply(resources), on: Sample.state).errors
    #expect(errors.count == Limits.findings)
    #expect(errors.last?.reason.contains("more errors are not shown") == true)
  }

  @Test("judges 10,000 resources as fast as they can be read") func scale() {
    let machines = (0..<9000).map { index in
      machine("m\(index)") {
        $0.host = "host9"
        $0.dip = ip("10.9.\(index / 250).\(index % 250 + 1)")
        $0.network = "green"
      }
    }
    let host = node("host9") { $0.locators = prefix("10.128.0.0/16") }
    let validation = Validation(.apply([host] + machines), on: Sample.state)
    #expect(validation.errors.isEmpty)
    #expect(validation.changes.count == 9001)
  }
}
