/// The maxima of this module, each with its reason.
public enum Limits {
  /// Queues of one TUN device: MAX_TAP_QUEUES of Linux's tun driver.
  public static let tunQueues = 256
  /// Bytes of a network device's name: IFNAMSIZ less the closing zero.
  public static let interfaceNameBytes = 15
  /// Bytes of a network namespace's name: NAME_MAX, since it is a file below /run/netns.
  public static let namespaceNameBytes = 255
  /// Events taken from the kernel by one wait: a worker has one mailbox and a few queues, and whatever is
  /// left over comes with the next wait.
  public static let epollEvents = 64
  /// Bytes that may wait in a packet socket, the kernel's bookkeeping included: 900 super-packets or 80,000 small
  /// packets, about what one worker handles in 200 ms.
  public static let packetSocketBytes = 64 << 20
  /// Bytes of a worker's stack: 64 batches of descriptors and the deepest call fit many times over; only
  /// touched pages cost memory.
  public static let workerStackBytes = 8 << 20
  /// Frames of one pool: 65,536 frames of 17 pages are 4.25 GiB of address space.
  public static let frames = 65_536
  /// Bytes read from a file below /proc/sys/net: none holds more than a few lines.
  public static let sysctlBytes = 4_096
  /// CPUs that threads are placed on: CPU_SETSIZE of glibc.
  public static let cpus = 1_024
  /// Bytes of the stack of a thread that does one errand in another namespace.
  public static let errandStackBytes = 1 << 20
  /// Bytes of a BPF object: ours has about 100 KiB; beyond this it is none of ours.
  public static let bpfObjectBytes = 16 << 20
  /// Bytes of a symbol's name: Swift's mangled names of specialised generics have several hundred.
  public static let bpfSymbolBytes = 4_096
  /// Programs of one object: each way to attach needs one or two.
  public static let bpfPrograms = 256
  /// Instructions of one program: BPF_COMPLEXITY_LIMIT_INSNS of Linux, which loads no more.
  public static let bpfInstructions = 1_000_000
  /// Bytes of a map's or program's name: BPF_OBJ_NAME_LEN less the closing zero.
  public static let bpfNameBytes = 15
  /// Bytes for the verifier's log: the most that Linux 5.1 and older accept, more than 5.10 writes about one
  /// path through a program; only what is written costs memory.
  public static let verifierLogBytes = (16 << 20) - 1
  /// Lines of the verifier's log that an error shows: the last instructions and registers, on one screen.
  public static let verifierLogLines = 20
  /// Elements that one call reads from or writes to a map: enough for the call's cost to vanish (measured
  /// with hash maps, it does from 64 on), and small enough for the stack of an errand.
  public static let bpfBatch = 256
  /// Bytes of a packet in BPF_PROG_TEST_RUN: the kernel takes no larger one.
  public static let bpfTestBytes = 1 << 20
}
