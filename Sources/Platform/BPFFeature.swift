/// Something of the kernel that the programs and their loader use, and that not every kernel has.
public enum BPFFeature: String, CaseIterable, Hashable, Sendable {
  /// Hash maps.
  case hashMap
  /// Hash maps that forget the least recently used entry.
  case lruMap
  /// Arrays.
  case array
  /// Arrays with a value for each CPU.
  case perCPUArray
  /// Arrays whose values are arrays.
  case arrayOfArrays
  /// Arrays whose values are hash maps.
  case arrayOfHashMaps
  /// Arrays that are mapped into memory.
  case mappableArray
  /// Inner arrays of differing sizes.
  case innerArraySizes
  /// Constants of a program.
  case constants
  /// XDP programs.
  case xdp
  /// Classifiers in tc.
  case classifier
  /// The clock without its cost, in XDP and tc.
  case coarseClock
  /// The kernel's ticks, in XDP and tc.
  case jiffies
  /// The kernel's routes, in XDP and tc.
  case fibLookup
  /// Sending to a neighbour, in tc.
  case redirectNeighbor
  /// Sending into the other end of a veth pair, in tc.
  case redirectPeer
  /// Changing for whom the stack takes a packet, in tc.
  case packetType
  /// Room for an outer IPv4 header that keeps super-packets whole, in tc.
  case encapsulation
  /// Taking an outer header away with super-packets kept whole, in tc.
  case decapsulation
  /// Clearing what a super-packet remembers of its outer header as that is taken away, in tc.
  case decapsulationOfSegments

  /// Those whose programs need features.
  public enum User: String, CaseIterable, Hashable, Sendable {
    /// A multiplexer.
    case mux
    /// A host of VMs behind veth pairs.
    case host
  }

  /// Whose programs do not run without it; nobody's, where they run less well.
  public var users: Set<User> {
    switch self {
    case .lruMap, .arrayOfHashMaps, .constants, .coarseClock, .innerArraySizes, .decapsulation,
      .decapsulationOfSegments:
      []
    case .array, .arrayOfArrays, .mappableArray, .xdp, .encapsulation: [.mux]
    case .redirectPeer, .packetType: [.host]
    case .hashMap, .perCPUArray, .classifier, .jiffies, .fibLookup, .redirectNeighbor: [.mux, .host]
    }
  }

  /// What a kernel without it lacks, and since when Linux has it.
  var sentence: String {
    switch self {
    case .hashMap: "The kernel has no hash maps for eBPF (Linux 3.19)."
    case .lruMap: "The kernel has no LRU hash maps for eBPF (Linux 4.10)."
    case .array: "The kernel has no arrays for eBPF (Linux 3.19)."
    case .perCPUArray: "The kernel has no per-CPU arrays for eBPF (Linux 4.6)."
    case .arrayOfArrays: "The kernel has no arrays of arrays for eBPF (Linux 4.12)."
    case .arrayOfHashMaps: "The kernel has no arrays of hash maps for eBPF (Linux 4.12)."
    case .mappableArray: "The kernel cannot map eBPF arrays into memory (Linux 5.5)."
    case .innerArraySizes: "The kernel wants inner arrays of one size (they may differ from Linux 5.10 on)."
    case .constants: "The kernel does not let eBPF programs have constants (Linux 5.2)."
    case .xdp: "The kernel runs no XDP programs (Linux 4.8)."
    case .classifier: "The kernel runs no eBPF classifiers in tc (Linux 4.1, CONFIG_NET_CLS_BPF)."
    case .coarseClock: "The kernel lacks the helper bpf_ktime_get_coarse_ns (Linux 5.11)."
    case .jiffies: "The kernel lacks the helper bpf_jiffies64 (Linux 5.6)."
    case .fibLookup: "The kernel lacks the helper bpf_fib_lookup (Linux 4.18)."
    case .redirectNeighbor: "The kernel lacks the helper bpf_redirect_neigh (Linux 5.10)."
    case .redirectPeer: "The kernel lacks the helper bpf_redirect_peer (Linux 5.10)."
    case .packetType: "The kernel lacks the helper bpf_skb_change_type (Linux 4.8)."
    case .encapsulation: "bpf_skb_adjust_room cannot make room for an outer IPv4 header (Linux 5.2)."
    case .decapsulation: "bpf_skb_adjust_room knows no BPF_F_ADJ_ROOM_DECAP_L3_IPV4 (Linux 6.3)."
    case .decapsulationOfSegments:
      "bpf_skb_adjust_room knows no BPF_F_ADJ_ROOM_DECAP_IPXIP4, so that a super-packet keeps a trace of its outer header."
    }
  }
}
