import Control
import Foundation
import Paxos
import Replication
import Synchronization

/// Lets a thread that is not Swift's wait a little.
func pause() { Thread.sleep(forTimeInterval: 0.002) }

/// The links between the managers of one test.
final class MemoryNetwork: Sendable {
  fileprivate struct Port {
    var hello: PeerHello?
    var hear: (@Sendable (PeerEvent) -> Void)?
  }
  fileprivate struct State {
    var ports: [ManagerAddress: Port] = [:]
    var cut: Set<ManagerAddress> = []
    var refused: [String: UInt64] = [:]
    var lostPerMille: UInt64 = 0
  }

  fileprivate let state = Mutex(State())

  /// Hellos refused, by reason.
  var refused: [String: UInt64] { state.withLock { $0.refused } }

  /// Nothing goes from or to this manager; when it ends, all introduce themselves again.
  func setCut(_ address: ManagerAddress, _ isCut: Bool) {
    let hellos = state.withLock { state in
      if isCut { state.cut.insert(address) } else { state.cut.remove(address) }
      return state.ports.sorted { $0.key.port < $1.key.port }.compactMap { $0.value.hello }
    }
    guard !isCut else { return }
    for hello in hellos { deliver(.hello(hello), from: hello.address) }
  }

  /// So many messages of replicas are lost, by chance.
  func lose(perMille: UInt64) { state.withLock { $0.lostPerMille = perMille } }

  func port(_ address: ManagerAddress) -> MemoryPort { MemoryPort(network: self, address: address) }

  /// The manager is gone.
  func close(_ address: ManagerAddress) {
    state.withLock { $0.ports[address] = nil }
  }

  /// To one manager, or to all others.
  fileprivate func deliver(_ event: PeerEvent, from: ManagerAddress, to: ReplicaID? = nil) {
    let ears = state.withLock { state -> [@Sendable (PeerEvent) -> Void] in
      guard !state.cut.contains(from) else { return [] }
      if to != nil, UInt64.random(in: 0..<1000) < state.lostPerMille { return [] }
      return state.ports.compactMap { address, port -> (@Sendable (PeerEvent) -> Void)? in
        guard address != from, !state.cut.contains(address), let hear = port.hear else { return nil }
        if let to, port.hello?.replica != to { return nil }
        if case .hello(let hello) = event, let refusal = port.hello?.refusal(of: hello) {
          state.refused[refusal.label, default: 0] += 1
          return nil
        }
        return hear
      }
    }
    for hear in ears { hear(event) }
  }
}

/// One manager's end.
struct MemoryPort: ReplicaNetwork {
  let network: MemoryNetwork
  let address: ManagerAddress

  func introduce(_ hello: PeerHello) {
    network.state.withLock { $0.ports[address, default: MemoryNetwork.Port()].hello = hello }
    network.deliver(.hello(hello), from: address)
  }

  func listen(_ hear: @escaping @Sendable (PeerEvent) -> Void) {
    let others = network.state.withLock { state in
      state.ports[address, default: MemoryNetwork.Port()].hear = hear
      guard !state.cut.contains(address) else { return [PeerHello]() }
      return state.ports.filter { $0.key != address && !state.cut.contains($0.key) }
        .compactMap { $0.value.hello }
    }
    for hello in others { hear(.hello(hello)) }
  }

  func send(_ envelope: Envelope) { network.deliver(.envelope(envelope), from: address, to: envelope.to) }

  func broadcast(_ status: PeerStatus) { network.deliver(.status(status), from: address) }

  func counters() -> [Counter] { [] }
}
