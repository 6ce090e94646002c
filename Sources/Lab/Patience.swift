/// Waits for something that another process does.
public enum Patience {
  /// Asks every 20 ms whether it has come about; whether it did within the time.
  @discardableResult
  public static func wait<Failure: Error>(
    upTo milliseconds: Int, until condition: () async throws(Failure) -> Bool
  ) async throws(Failure) -> Bool {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while true {
      if try await condition() { return true }
      guard ContinuousClock.now < end, !Task.isCancelled else { return false }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
