/// Registers as a client reaches them.
public protocol RegisterStore: Sendable {
  /// Writes a number into a register.
  func write(_ value: UInt64, to register: Int) async -> RegisterReply
  /// Reads all registers at one moment.
  func read() async -> RegisterReply
}

/// How an operation on registers ended.
public struct RegisterReply: Sendable {
  /// What is known of it.
  public var outcome: RegisterOperation.Outcome
  /// Why it is not known to have been carried out.
  public var reason: String
  /// What a read found; a register that is not in it holds nothing.
  public var values: [Int: UInt64]

  /// Describes the end of an operation.
  public init(_ outcome: RegisterOperation.Outcome, reason: String = "", values: [Int: UInt64] = [:]) {
    self.outcome = outcome
    self.reason = reason
    self.values = values
  }
}

/// Writes unique numbers into registers and reads them, one operation after the other, and notes what it saw.
public struct RegisterClient: Sendable {
  /// Numbers that one client may write: 18 of 24 bits, so that a number fits an address below a prefix of 8.
  static let numbersPerClient: UInt64 = 1 << 18
  /// Clients of one history: the other 6 bits.
  public static let clients = 64

  private let number: Int
  private let registers: Int
  private let store: any RegisterStore
  private let history: JSONLines

  /// Prepares a client; each of a history has a number of its own.
  public init(number: Int, registers: Int, store: any RegisterStore, history: JSONLines) {
    precondition((0..<Self.clients).contains(number) && registers > 0, "a client without a number")
    self.number = number
    self.registers = registers
    self.store = store
    self.history = history
  }

  /// Works until the task is cancelled.
  public func run() async throws(LabError) {
    var counter: UInt64 = 1
    while !Task.isCancelled, counter < Self.numbersPerClient {
      if Bool.random() {
        try await write(UInt64(number) * Self.numbersPerClient + counter, to: .random(in: 0..<registers))
        counter += 1
      } else {
        try await read()
      }
      // A person who thinks; without it, two cores would do nothing but this.
      try? await Task.sleep(for: .milliseconds(Int.random(in: 10...40)))
    }
  }

  /// Reads all registers once.
  @discardableResult
  public func read() async throws(LabError) -> RegisterReply {
    let invoked = MonotonicTime.now
    let reply = await store.read()
    let responded = MonotonicTime.now
    try history.append(
      (0..<registers).map { register in
        RegisterOperation(
          client: number, register: register, kind: .read, value: reply.values[register], invoked: invoked,
          responded: responded, outcome: reply.outcome, reason: reply.reason)
      })
    return reply
  }

  private func write(_ value: UInt64, to register: Int) async throws(LabError) {
    let invoked = MonotonicTime.now
    let reply = await store.write(value, to: register)
    try history.append(
      RegisterOperation(
        client: number, register: register, kind: .write, value: value, invoked: invoked,
        responded: MonotonicTime.now, outcome: reply.outcome, reason: reply.reason))
  }
}
