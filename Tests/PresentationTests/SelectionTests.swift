import Control
import Foundation
import Manifest
import Presentation
import Testing

@Suite struct SelectionTests {
  @Test func namesNarrowAndMissingOnesAreNamed() {
    let listing = Listing(.vms, names: ["blue-2", "red-1"], of: SampleState.state)
    #expect(listing.text(.name) == "vm/blue-2\n")
    #expect(listing.missing == ["red-1"])
    let endpoint = Listing(.backends, names: ["blue/udp-53"], of: SampleState.state)
    #expect(endpoint.text(.name) == "backend/blue/udp-53/blue-1\n")
    #expect(
      Listing(.endpoints, names: ["blue"], of: SampleState.state).text(.name).contains("endpoint/blue/http\n")
    )
    #expect(Listing(.muxes, names: ["host1"], of: SampleState.state).missing == ["host1"])
  }

  @Test func everythingBearsItsKind() {
    let names = Listing.all(of: SampleState.state).map { $0.text(.name) }.joined()
    #expect(
      names == """
        node/host1
        node/host2
        node/manager1
        node/mux1
        node/mux2
        network/blue
        vm/blue-1
        vm/blue-2
        service/blue

        """)
    let table = Listing(.services, of: SampleState.state).text(.table, isOneOfMany: true)
    #expect(table.contains("\nservice/blue   203.0.113.10   "))
  }

  @Test func anEmptyDataCentreHasNothingToShow() {
    let state = ClusterState(
      revision: Revision(0), epoch: Epoch(0), nodes: [], networks: [], machines: [], services: [])
    #expect(Listing.all(of: state).isEmpty)
    for subject in Subject.allCases where subject.isPartOfState {
      let listing = Listing(subject, of: state)
      #expect(listing.isEmpty)
      #expect(listing.text(.table).isEmpty)
      #expect(listing.text(.yaml).isEmpty)
      #expect(listing.text(.json) == "{\n  \"kind\": \"List\",\n  \"items\": []\n}\n")
    }
  }

  /// What `get -o yaml` prints, `apply -f` takes.
  @Test func yamlIsAManifest() throws {
    let text = Listing.all(of: SampleState.state).map { $0.text(.yaml) }.joined(separator: "---\n")
    let resources = try ManifestReader.read(text, file: "f").map(\.resource)
    #expect(resources.count == 9)
    #expect(resources.contains(.service(SampleState.blue.service)))
  }

  @Test func jsonHasSpecAndStatus() throws {
    let text = Listing(.services, of: SampleState.state).text(.json)
    let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let item = (list?["items"] as? [[String: Any]])?.first
    #expect(item?["kind"] as? String == "Service")
    #expect((item?["spec"] as? [String: Any])?["vip"] as? String == "203.0.113.10")
    let status = item?["status"] as? [String: Any]
    #expect(status?["announced"] as? Bool == true)
    let endpoints = status?["endpoints"] as? [[String: Any]]
    let backends = endpoints?.first?["backends"] as? [[String: Any]]
    #expect(backends?.map { $0["health"] as? String } == ["healthy", "unhealthy"])
    #expect(backends?.map { $0["packets"] as? Int } == [1200, nil])
  }

  /// Ports go by VIP, service or VM, and their items say the same as the table.
  @Test func leasedPorts() throws {
    let name = Listing(.snat, names: ["blue-1"], of: SampleState.state)
    #expect(name.text(.name) == "snat/203.0.113.10/blue-1\nsnat/203.0.113.11/blue-1\n")
    let ofVIP = Listing(.snat, names: ["203.0.113.11", "red-1"], of: SampleState.state)
    #expect(ofVIP.text(.name) == "snat/203.0.113.11\nsnat/203.0.113.11/blue-1\n")
    #expect(ofVIP.missing == ["red-1"])
    let text = Listing(.snat, of: SampleState.state).text(.json)
    let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let items = try #require(list?["items"] as? [[String: Any]])
    #expect(items.map { $0["allocated"] as? Int } == [16, 16, 0, 8, 8])
    #expect(items.map { $0["free"] as? Int } == [64496, 7, nil, 64488, nil])
    #expect(items.map { $0["requests"] as? Int } == [4, 4, nil, nil, nil])
    #expect(items.map { $0["vm"] as? String } == [nil, "blue-1", "blue-2", nil, "blue-1"])
    #expect(items[1]["waitMicrosecondsP99"] as? Int == 16_384)
  }

  @Test(arguments: Subject.allCases) func everyNameOfASubjectIsKnown(subject: Subject) {
    for name in subject.names {
      #expect(Subject(name: name) == subject)
      #expect(Subject(name: name.uppercased()) == subject)
    }
  }

  @Test func namesOfSubjectsAreUnique() {
    let names = Subject.allCases.flatMap(\.names)
    #expect(Set(names).count == names.count)
    #expect(Subject(name: "pods") == nil)
    for kind in Kind.allCases { #expect(Subject(name: kind.rawValue)?.kind == kind) }
  }
}
