/// Collects what is found, errors and warnings apart, up to a limit.
struct Findings {
  private(set) var errors: [Finding] = []
  private(set) var warnings: [Finding] = []
  private var unsaid = 0

  /// Notes something that refuses the operation.
  mutating func refuse(_ key: ResourceKey, _ path: String, _ reason: String) {
    guard errors.count < Limits.findings else {
      unsaid += 1
      return
    }
    errors.append(Finding(key: key, path: path, reason: reason))
  }

  /// Notes something that an operator should know.
  mutating func warn(_ key: ResourceKey, _ path: String, _ reason: String) {
    guard warnings.count < Limits.findings else { return }
    warnings.append(Finding(key: key, path: path, reason: reason))
  }

  /// Says how many errors did not fit, in place of the last that did.
  mutating func close() {
    guard unsaid > 0, let last = errors.popLast() else { return }
    errors.append(
      Finding(
        key: last.key, path: last.path, reason: "\(last.reason); and \(unsaid) more errors are not shown"))
  }
}
