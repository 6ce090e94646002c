/// What a file may ask of this module; everything above is refused with an error that names the limit.
enum Limits {
  /// 16 MiB: 100,000 backends at some 60 bytes each, twice over; a manager takes no larger request anyway.
  static let bytesPerFile = 16 << 20
  /// Mappings, sequences and scalars of one file, aliases counted as often as they are used.
  ///
  /// Without it nine lines of aliases to aliases ("a billion laughs") would fill the memory.
  static let nodesPerFile = 1_000_000
  /// The deepest manifest needs 8; libyaml itself gives up at 1,000.
  static let depth = 32
  /// Documents of one file.
  static let documentsPerFile = 100_000
  /// One error usually has sisters; nobody reads more than this.
  static let errorsPerFile = 100
  /// RFC 1123 labels have at most 63 characters.
  static let nameLength = 63
  /// IFNAMSIZ is 16 with the final NUL.
  static let deviceNameLength = 15
  /// NAME_MAX of Linux: a network namespace is a file in /run/netns.
  static let fileNameLength = 255
  /// An HTTP request line that every server takes (RFC 9110, section 4.1, recommends 8,000).
  static let httpPathLength = 2000
  /// TCP_MD5SIG_MAXKEYLEN of Linux.
  static let md5KeyLength = 80
  /// A day: flows older than that are forgotten by everything on their way.
  static let longestDurationMilliseconds = 86_400_000
  /// Worker threads of one role; machines with more cores run several nodes.
  static let workers = 128
  /// BGP neighbours of one MUX: a rack has two routers, a lab one.
  static let neighbors = 16
  /// Devices of one host that packets arrive by: more than the ports of any network card.
  static let uplinks = 16
  /// Replicas that an agent may be told of: five, and those that are about to replace them.
  static let managers = 10
}
