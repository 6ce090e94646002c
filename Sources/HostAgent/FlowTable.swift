/// Flows of one worker, in cache-line buckets of four; of fixed size, so it never allocates after `init`.
///
/// A flow lives in one of two buckets, chosen by the two halves of its hash. With two choices of four places
/// each a table that is 80 % full still finds room for nearly every flow.
struct FlowTable: ~Copyable {
  @inline(always) static var ways: Int { 4 }
  /// What `find` and `place` say when there is nothing.
  @inline(always) static var nowhere: Int { -1 }

  var flows: Table<Flow>
  /// Where the next `sweep` begins.
  var cursor = 0

  init(capacity: Int) {
    flows = Table(capacity: max(capacity, 2 * Self.ways), repeating: Flow())
  }

  @inline(always) private func bucket(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash & 0xffff_ffff) &* Self.ways & flows.mask
  }

  /// Where the flow lies, or `nowhere`.
  @inline(always) func find(_ key: FlowKey, hash: UInt64) -> Int {
    var at = bucket(hash)
    for _ in 0..<Self.ways {
      if flows[at].matches(key) && !flows[at].isEmpty { return at }
      at &+= 1
    }
    at = bucket(hash &>> 32)
    for _ in 0..<Self.ways {
      if flows[at].matches(key) && !flows[at].isEmpty { return at }
      at &+= 1
    }
    return Self.nowhere
  }

  /// The place numbered `way` of the eight where a flow may lie.
  @inline(always) func candidate(_ way: Int, hash: UInt64) -> Int {
    bucket(way < Self.ways ? hash : hash &>> 32) &+ (way & (Self.ways &- 1))
  }
}
