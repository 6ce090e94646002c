import Control
import Foundation
import Presentation
import Testing

/// What operators see of the managers, and of who changed what, letter by letter.
@Suite struct ManagerListingTests {
  private static func manager(
    _ node: String, _ number: UInt8, _ role: ManagerStatus.Role, replica: UInt64, isVoter: Bool = true,
    ballot: Epoch = Epoch(7, replica: 0xa1), committed: UInt64 = 120, seconds: UInt64 = 312,
    silent: UInt64 = 400
  ) -> ManagerStatus {
    ManagerStatus(
      node: node, address: ManagerAddress(host: "10.1.\(number).2", port: 4600), replica: replica, role: role,
      isVoter: isVoter, ballot: ballot, committed: committed, snapshot: replica == 0 ? 0 : 100,
      seconds: seconds, silentMilliseconds: silent)
  }

  private static let group = ManagerGroup(
    answering: "mux1", cluster: 0xbeef,
    managers: [
      manager(
        "", 12, .unreachable, replica: 0, isVoter: false, ballot: .none, committed: 0, seconds: 0, silent: 0),
      manager("host1", 11, .unreachable, replica: 0xa3, committed: 90, seconds: 61, silent: 61_300),
      manager("host3", 13, .learner, replica: 0xa5, isVoter: false, committed: 118, seconds: 9),
      manager("mux1", 1, .leader, replica: 0xa1, seconds: 183_600, silent: 0),
      manager("mux2", 2, .follower, replica: 0xa2, committed: 119),
    ])

  @Test func table() {
    let narrow = """
      NODE    ADDRESS          ROLE          VOTER   BALLOT   LOG   LAG   SINCE
      -       10.1.12.2:4600   unreachable   -       -        -     -     -
      host1   10.1.11.2:4600   unreachable   yes     7.a1     90    30    1m1s
      host3   10.1.13.2:4600   learner       no      7.a1     118   2     9s
      mux1    10.1.1.2:4600    leader        yes     7.a1     120   0     2d3h
      mux2    10.1.2.2:4600    follower      yes     7.a1     119   1     5m12s

      """
    #expect(Listing(of: Self.group).text(.table) == narrow)
  }

  @Test func wide() {
    let wide = """
      NODE   ADDRESS         ROLE       VOTER   BALLOT   LOG   LAG   SINCE   REPLICA   SNAPSHOT   HEARD
      mux1   10.1.1.2:4600   leader     yes     7.a1     120   0     2d3h    a1        100        now
      mux2   10.1.2.2:4600   follower   yes     7.a1     119   1     5m12s   a2        100        0.4s ago

      """
    #expect(Listing(of: Self.group, names: ["mux1", "mux2"]).text(.wide) == wide)
  }

  @Test(arguments: ["mux2", "a2", "10.1.2.2:4600"]) func goByNodeReplicaAndAddress(name: String) {
    #expect(Listing(of: Self.group, names: [name]).text(.name) == "manager/mux2\n")
    #expect(ManagerDescription(of: Self.group).text(name)?.hasPrefix("Node:           mux2\n") == true)
  }

  @Test func whatIsNotThereIsNamed() {
    #expect(Listing(of: Self.group, names: ["mux1", "mux9", ""]).missing == ["mux9", ""])
    #expect(ManagerDescription(of: Self.group).text("mux9") == nil)
    #expect(ManagerDescription(of: Self.group).text("") == nil)
  }

  @Test func jsonKeepsNumbers() throws {
    let text = Listing(of: Self.group, names: ["host1"]).text(.json)
    let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let item = try #require((list?["items"] as? [[String: Any]])?.first)
    #expect(item["role"] as? String == "unreachable")
    #expect(item["voter"] as? Bool == true)
    #expect(item["ballot"] as? String == "7.a1")
    #expect(item["committed"] as? Int == 90)
    #expect(item["lag"] as? Int == 30)
    #expect(item["silentMilliseconds"] as? Int == 61_300)
  }

  @Test func description() {
    #expect(
      ManagerDescription(of: Self.group).text("host3") == """
        Node:           host3
        Kind:           Manager
        Address:        10.1.13.2:4600
        Cluster:        beef
        Replica:        a5
        Role:           learner, for 9s
        Vote:           none; `ananta-ctl managers add host3` gives it one
        Ballot:         7.a1
        Log:            118 chosen, 2 behind the newest known
        Snapshot:       up to 100
        Heard:          0.4s ago
        Says:           the manager of mux1

        """)
  }

  @Test func warnsOfWhatRowsDoNotSay() {
    var group = Self.group
    #expect(group.warnings == [])
    group.managers[3].role = .follower
    #expect(group.warnings == ["mux1 knows no leader at the moment"])
    group.managers[4].role = .unreachable
    #expect(group.warnings == ["only 1 of 3 voters can be seen from mux1: nothing can be changed"])
    group.cluster = 0
    #expect(group.warnings.map { $0.prefix(41) } == ["the managers have not founded a cluster y"])
  }

  private static func record(_ revision: UInt64, note: String = "", items: Int, count: Int) -> AuditRecord {
    AuditRecord(
      revision: Revision(revision), author: Author(name: "ada", at: 1_795_839_405_999), note: note,
      items: (0..<items).map {
        AuditRecord.Item(key: ResourceKey(.service, "web-\($0)"), action: $0 == 0 ? .created : .configured)
      }, count: count)
  }

  private static let records = [
    record(12, note: "added the manager of mux2", items: 0, count: 0), record(13, items: 1, count: 1),
    record(14, items: 5, count: 9),
  ]

  @Test func eventsAreOneLineEach() {
    let table = """
      TIME                   REVISION   WHO   WHAT
      2026-11-28T04:16:45Z   12         ada   added the manager of mux2
      2026-11-28T04:16:45Z   13         ada   service/web-0 created
      2026-11-28T04:16:45Z   14         ada   service/web-0 created, service/web-1 configured, service/web-2 configured, 6 more

      """
    #expect(Listing(of: Self.records).text(.table) == table)
    let wide = Listing(of: Self.records).text(.wide)
    #expect(wide.hasSuffix("service/web-3 configured, service/web-4 configured, 4 more\n"))
  }

  @Test func eventsAsData() throws {
    let text = Listing(of: Self.records).text(.json)
    let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let items = try #require(list?["items"] as? [[String: Any]])
    #expect(items.map { $0["revision"] as? Int } == [12, 13, 14])
    #expect(items.map { $0["count"] as? Int } == [0, 1, 9])
    #expect(items[0]["note"] as? String == "added the manager of mux2")
    let first = (items[1]["items"] as? [[String: String]])?.first
    #expect(first == ["kind": "Service", "name": "web-0", "action": "created"])
    #expect(Listing(of: Self.records).text(.yaml).contains("\nwho: ada\n"))
  }
}
