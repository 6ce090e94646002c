#if !$Embedded
public import Synchronization
public import Wire

/// SNAT range → locator: which VM's packets the answers to a VIP's leased ports are.
///
/// One thread at a time changes it in place, while workers and the kernel's programs read it. Each change is one word
/// (`SNATKey`), so a packet goes by the table before it or after it. The memory is its own, or that of a map of the
/// kernel, which then has the same leases by nature.
@safe public final class SNATRanges: @unchecked Sendable {
  /// A lease.
  public struct Lease: Hashable, Sendable {
    /// The ports.
    public let range: SNATRange
    /// Where the VM is.
    public let locator: IPv4Address

    /// Joins the two.
    public init(_ range: SNATRange, to locator: IPv4Address) {
      self.range = range
      self.locator = locator
    }
  }

  let words: UnsafeMutablePointer<Atomic<UInt64>>
  /// Who keeps the memory; nil when it is ours.
  private let owner: AnyObject?
  /// The ranges that are leased; for the thread that changes them.
  public private(set) var count = 0

  /// No leases, in memory of its own.
  public init() {
    unsafe words = .allocate(capacity: Self.places)
    owner = nil
    for place in 0..<Self.places { unsafe (words + place).initialize(to: Atomic(0)) }
  }

  /// Goes on with the leases in memory of `SNATKey.buckets` buckets that `owner` keeps.
  @unsafe public init(at memory: UnsafeMutableRawPointer, keptBy owner: AnyObject) {
    unsafe words = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    self.owner = owner
    for place in 0..<Self.places where word(place) != 0 { count += 1 }
  }

  deinit {
    if owner == nil { unsafe words.deallocate() }
  }

  private static var places: Int { SNATKey.buckets * SNATKey.ways }

  private func word(_ place: Int) -> UInt64 { unsafe words[place].load(ordering: .relaxed) }

  private func set(_ place: Int, to word: UInt64) { unsafe words[place].store(word, ordering: .releasing) }

  /// The places of a bucket.
  private static func places(_ bucket: UInt32) -> Range<Int> {
    Int(bucket) * SNATKey.ways..<(Int(bucket) + 1) * SNATKey.ways
  }

  /// Where a tag is in a bucket.
  private func place(_ bucket: UInt32, _ tag: UInt32) -> Int? {
    Self.places(bucket).first { SNATKey.matches(word($0), tag) }
  }

  /// The leases in a bucket.
  private func load(_ bucket: UInt32) -> Int {
    Self.places(bucket).reduce(0) { word($1) == 0 ? $0 : $0 + 1 }
  }

  private func place(_ key: SNATKey) -> Int? { place(key.first, key.tag) ?? place(key.second, key.secondTag) }

  /// Leases a range, or passes it on to another locator, from the next packet on.
  public func lease(_ range: SNATRange, to locator: IPv4Address) throws(SNATRangeError) {
    guard range.firstPort >= Limits.firstSNATPort else { throw .port(range) }
    guard locator != .any else { throw .locator(range) }
    let key = SNATKey(range)
    if let place = place(key) {
      let tag = UInt32(truncatingIfNeeded: word(place))
      return set(place, to: SNATKey.word(tag, locator))
    }
    let first = load(key.first)
    let goesSecond = first >= SNATKey.enough && load(key.second) < first
    let free = Self.places(goesSecond ? key.second : key.first).first { word($0) == 0 }
    guard count < Limits.snatRanges, let place = free else { throw .tooMany(count) }
    set(place, to: SNATKey.word(goesSecond ? key.secondTag : key.tag, locator))
    count += 1
  }

  /// Takes a range back; whether it was leased.
  @discardableResult public func takeBack(_ range: SNATRange) -> Bool {
    guard let place = place(SNATKey(range)) else { return false }
    set(place, to: 0)
    count -= 1
    return true
  }

  /// Where the VM is that has a range; nil when nobody has.
  public func locator(_ range: SNATRange) -> IPv4Address? { unsafe Self.locator(range, words) }

  @inlinable @inline(__always) static func locator(
    _ range: SNATRange, _ words: UnsafeMutablePointer<Atomic<UInt64>>
  ) -> IPv4Address? {
    let key = SNATKey(range)
    let word = unsafe found(words + Int(key.first) &* SNATKey.ways, key.tag)
    if word != 0 { return SNATKey.locator(word) }
    let other = unsafe found(words + Int(key.second) &* SNATKey.ways, key.secondTag)
    return other == 0 ? nil : SNATKey.locator(other)
  }

  /// A bucket's word with a tag; 0 when there is none.
  @inlinable @inline(__always) static func found(
    _ bucket: UnsafeMutablePointer<Atomic<UInt64>>, _ tag: UInt32
  ) -> UInt64 {
    var way = 0
    while way < SNATKey.ways {
      let word = unsafe bucket[way].load(ordering: .relaxed)
      if SNATKey.matches(word, tag) { return word }
      way &+= 1
    }
    return 0
  }

  /// All leases, in order.
  public var leases: [Lease] {
    var all: [Lease] = []
    all.reserveCapacity(count)
    for bucket in 0..<UInt32(SNATKey.buckets) {
      for place in Self.places(bucket) {
        let word = word(place)
        guard let range = SNATKey.range(of: word, in: bucket) else { continue }
        all.append(Lease(range, to: SNATKey.locator(word)))
      }
    }
    return all.sorted { $0.range < $1.range }
  }

  /// Becomes a copy of another table; to be done before packets see this one.
  public func copy(_ other: SNATRanges) {
    for place in 0..<Self.places { set(place, to: other.word(place)) }
    count = other.count
  }
}

/// Why a range is not leased.
public enum SNATRangeError: Error, Hashable, Sendable {
  /// Below `Limits.firstSNATPort`.
  case port(SNATRange)
  /// 0.0.0.0 is no locator.
  case locator(SNATRange)
  /// There are as many as `Limits.snatRanges` or, very rarely, no room within reach.
  case tooMany(Int)
}
#endif
