public import Control
public import Manifest

/// What became of an operation, in words.
public enum OutcomeText {
  /// `service/blue created`, one line for each change.
  public static func changes(_ outcome: Outcome, dryRun: Bool) -> String {
    let suffix = dryRun ? " (dry run)" : ""
    return outcome.changes.map { "\($0.key.commandLineName) \($0.action.rawValue)\(suffix)\n" }.joined()
  }

  /// Findings at their places in the files they are about: `blue.yaml:12:9: spec.vip: reason`.
  ///
  /// One about a resource that no file describes bears its name instead.
  public static func findings(_ findings: [Finding], in resources: [LocatedResource], prefix: String = "")
    -> String
  {
    let located = Dictionary(resources.map { ($0.resource.key, $0) }) { first, _ in first }
    return findings.map { finding in
      guard let resource = located[finding.key] else {
        let path = finding.path.isEmpty ? "" : "\(finding.path): "
        return "\(prefix)\(finding.key.commandLineName): \(path)\(finding.reason)\n"
      }
      return "\(prefix)\(resource.error(finding))\n"
    }.joined()
  }

  /// How the running configuration differs from the outcome, in the format of `diff -u`; empty when it does not.
  public static func difference(_ outcome: Outcome) -> String {
    outcome.changes.map { change in
      let name = change.key.commandLineName
      return UnifiedDiff.text(
        from: change.before.map { ManifestWriter.text($0) }, to: change.after.map { ManifestWriter.text($0) },
        oldName: "running/\(name)", newName: "manifest/\(name)")
    }.joined()
  }
}
