/// Judges what clients saw of registers: whether one order of all operations explains it.
///
/// Linearizability (Herlihy and Wing, 1990): each operation seems to take effect at one moment between its
/// invocation and its response. The registers are judged one by one, since a history is linearizable exactly
/// when it is for each object alone (their theorem of locality). Nothing is known here of what was asked: it
/// could be any register.
public enum LinearizabilityChecker {
  /// Something that no order explains.
  public struct Finding: Codable, Hashable, Sendable {
    /// The register.
    public var register: Int
    /// What is wrong.
    public var sentence: String
    /// The operations around it, in the order of their invocations.
    public var around: [RegisterOperation]
  }

  /// What no order explains, at most one finding for each register; empty: the history is linearizable.
  ///
  /// All registers hold nothing at the beginning. An operation of unknown outcome may take effect at any time
  /// after its invocation, or never.
  public static func findings(in history: [RegisterOperation]) -> [Finding] {
    let registers = Dictionary(grouping: history, by: \.register)
    return registers.keys.sorted().compactMap { register in
      finding(register, (registers[register] ?? []).sorted { $0.invoked < $1.invoked })
    }
  }

  private static func finding(_ register: Int, _ operations: [RegisterOperation]) -> Finding? {
    do throws(Contradiction) {
      let judged = try relevant(operations)
      var search = LinearizabilitySearch(judged)
      switch search.run() {
      case .linearizable: return nil
      case .impossible(let stuck):
        throw Contradiction("no order of the operations before it explains: \(judged[stuck])", judged[stuck])
      case .undecided(let stuck):
        let steps = Limits.linearizabilitySteps
        throw Contradiction(
          "undecided after \(steps) steps, the furthest of which is \(judged[stuck])", judged[stuck])
      }
    } catch {
      return Finding(
        register: register, sentence: error.sentence, around: neighbours(of: error.operation, in: operations))
    }
  }

  private struct Contradiction: Error {
    let sentence: String
    let operation: RegisterOperation

    init(_ sentence: String, _ operation: RegisterOperation) {
      self.sentence = sentence
      self.operation = operation
    }
  }

  /// The operations that an order must hold, and until when each has taken effect at the latest.
  ///
  /// A write of unknown outcome that nobody has read can be left out: if it is part of an order that explains
  /// the history, the order without it does, too. One that was read has taken effect before the first such
  /// read was answered. Both hold since no number is written twice, and bound what the search must try.
  private static func relevant(_ operations: [RegisterOperation]) throws(Contradiction)
    -> [RegisterOperation]
  {
    var firstRead: [UInt64: RegisterOperation] = [:]
    for read in operations where read.kind == .read && read.outcome == .ok {
      guard let value = read.value else { continue }
      if let other = firstRead[value], other.responded <= read.responded { continue }
      firstRead[value] = read
    }
    var judged = operations.filter { $0.kind == .read && $0.outcome == .ok }
    var written: Set<UInt64> = []
    for var write in operations where write.kind == .write {
      guard let value = write.value, written.insert(value).inserted else {
        throw Contradiction("a number was written twice, which makes the history worthless: \(write)", write)
      }
      let read = firstRead.removeValue(forKey: value)
      if let read {
        guard write.outcome != .failed else {
          throw Contradiction("a write that had failed was read by client \(read.client): \(write)", read)
        }
        guard write.invoked <= read.responded else {
          throw Contradiction("a number was read before it was written: \(read)", read)
        }
        if write.outcome == .uncertain { write.responded = read.responded }
      }
      if write.outcome == .ok || (write.outcome == .uncertain && read != nil) { judged.append(write) }
    }
    if let orphan = firstRead.values.min(by: { $0.invoked < $1.invoked }) {
      throw Contradiction("nobody wrote what was read: \(orphan)", orphan)
    }
    return judged.sorted { $0.invoked < $1.invoked }
  }

  private static func neighbours(
    of operation: RegisterOperation, in operations: [RegisterOperation]
  ) -> [RegisterOperation] {
    guard let place = operations.firstIndex(where: { $0.invoked >= operation.invoked }) else { return [] }
    let reach = Limits.operationsAroundFinding
    return Array(operations[max(0, place - reach)..<min(operations.count, place + reach)])
  }
}
