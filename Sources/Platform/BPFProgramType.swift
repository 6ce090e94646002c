/// Where a program runs (`enum bpf_prog_type`).
public enum BPFProgramType: UInt32, CaseIterable, Hashable, Sendable {
  /// In tc, at a device's ingress or egress: `struct __sk_buff` (BPF_PROG_TYPE_SCHED_CLS).
  case classifier = 3
  /// In the driver, before the kernel makes anything of a packet: `struct xdp_md` (BPF_PROG_TYPE_XDP).
  case xdp = 6

  /// The type that libbpf's names of sections mean: `xdp`, `xdp/mux`, `xdp.frags`, `tc`, `tc/host`, `classifier`.
  ///
  /// Nil for every other name.
  public init?(section: String) {
    switch section.prefix(while: { $0 != "/" && $0 != "." }) {
    case "xdp": self = .xdp
    case "tc", "classifier": self = .classifier
    default: return nil
    }
  }

  /// `enum bpf_attach_type`, for links; 0 where the kernel asks for none.
  var attachType: UInt32 { self == .xdp ? 37 : 0 }
}
