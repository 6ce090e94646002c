/// What a demo claimed and found.
public struct DemoReport: Codable, Hashable, Sendable {
  /// One sentence of the table.
  public struct Claim: Codable, Hashable, Sendable {
    /// What is claimed, or what was measured.
    public var claim: String
    /// What was found.
    public var measured: String
    /// Whether the claim holds; nil where nothing is claimed.
    public var ok: Bool?
  }
  /// The lab's name.
  public var lab: String
  /// In the order of the demo.
  public var claims: [Claim] = []
  /// From the beginning to the end, removal included.
  public var seconds = 0.0

  /// Whether the demo came to its end and no claim failed.
  public var passed = false

  /// The claims as aligned columns.
  public var table: String { Self.table(claims) }

  static func table(_ claims: [Claim]) -> String {
    var table = TextTable(["CLAIM", "MEASURED", "OK"])
    for claim in claims {
      table.add([claim.claim, claim.measured, claim.ok.map { $0 ? "yes" : "NO" } ?? "-"])
    }
    return table.text
  }
}
