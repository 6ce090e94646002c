import Wire

/// An endpoint of a VM as the packet path knows it.
struct EndpointRecord: BitwiseCopyable {
  var vip: IPv4Address
  var port: UInt16
  var backendPort: UInt16
  var machine: UInt16
  var proto: IPProtocol
  /// Whether the map of the day still names it.
  var isAlive: Bool
  var idle: UInt32
  /// How many records of the flow table name it; a number is given anew only when there are none.
  var flows: UInt32

  init() {
    vip = .any
    port = 0
    backendPort = 0
    machine = 0
    proto = IPProtocol(0)
    isAlive = false
    idle = 0
    flows = 0
  }
}

/// What finds an endpoint: a VM, a protocol, an address and a port.
struct EndpointName: BitwiseCopyable {
  let address: IPv4Address
  /// Port, machine and protocol.
  let rest: UInt32

  /// By what clients know it.
  @inline(always) init(machine: Int, isUDP: Bool, vip: IPv4Address, port: UInt16) {
    address = vip
    rest = UInt32(port) << 16 | UInt32(truncatingIfNeeded: machine & 0x3ff) << 1 | (isUDP ? 1 : 0)
  }

  /// By what its VM knows it; no VIP is 0.0.0.0.
  @inline(always) init(machine: Int, isUDP: Bool, backendPort: UInt16) {
    self.init(machine: machine, isUDP: isUDP, vip: .any, port: backendPort)
  }

  @inline(always) var hash: Int {
    let product = (UInt64(address.raw) << 32 | UInt64(rest)).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return Int(truncatingIfNeeded: product.high ^ product.low)
  }

  @inline(always) static func == (a: Self, b: Self) -> Bool { a.address == b.address && a.rest == b.rest }
}

/// Endpoint name → endpoint number, by open addressing; at least three of four places are empty.
struct EndpointTable: ~Copyable {
  struct Slot: BitwiseCopyable {
    var name: EndpointName
    /// 0: the place is empty.
    var number: UInt32
  }
  /// Stands for "more than one endpoint" in place of a number.
  @inline(always) static var several: UInt32 { .max }

  private var slots: Table<Slot>

  /// Makes room for `count` endpoints, each with both of its names.
  init(count: Int) {
    let nobody = EndpointName(machine: 0, isUDP: false, backendPort: 0)
    slots = Table(capacity: max(8, count * 8), repeating: Slot(name: nobody, number: 0))
  }

  /// Adds an endpoint under both names; a second endpoint behind the same port of a VM makes it ambiguous.
  mutating func insert(_ record: EndpointRecord, number: UInt32) {
    let isUDP = record.proto == .udp
    let machine = Int(record.machine)
    put(EndpointName(machine: machine, isUDP: isUDP, vip: record.vip, port: record.port), number)
    let inner = EndpointName(machine: machine, isUDP: isUDP, backendPort: record.backendPort)
    put(inner, find(inner) == 0 ? number : Self.several)
  }

  private mutating func put(_ name: EndpointName, _ number: UInt32) {
    var at = name.hash
    while slots[at].number != 0, !(slots[at].name == name) { at &+= 1 }
    slots[at] = Slot(name: name, number: number)
  }

  /// The number of the endpoint, `several`, or 0.
  @inline(always) func find(_ name: EndpointName) -> UInt32 {
    var at = name.hash
    while true {
      let slot = slots[at]
      if slot.number == 0 || slot.name == name { return slot.number }
      at &+= 1
    }
  }
}
