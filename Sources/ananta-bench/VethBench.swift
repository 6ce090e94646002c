import Dataplane
import Foundation
import KernelPath
import Platform

/// Packets per second of one core through a real veth pair: a sender at one end, what is measured at the other, which
/// sends them back, and there they are counted.
///
/// Everything happens on one CPU, whose time is counted wherever the kernel spends it: in the sender or in
/// ksoftirqd. So the figures hold the sender and both ends of the pair, alike for all.
final class VethBench {
  enum Way: String, CaseIterable {
    case empty = "veth: empty XDP program"
    case xdp = "veth: MUX by XDP"
    case tc = "veth: MUX by tc"
    case forwarding = "veth: Linux forwards"
  }

  static var names: [String] { Way.allCases.map(\.rawValue) }

  private let lab: KernelLab
  private let kernel: MuxKernel
  private let replay: KernelReplay
  private let packets: Int
  private let frame: [UInt8]
  private let softirqTask: String?

  init(_ lab: KernelLab, _ kernel: MuxKernel, _ replay: KernelReplay, frame: [UInt8], packets: Int) {
    self.lab = lab
    self.kernel = kernel
    self.replay = replay
    self.packets = packets
    self.frame = frame
    softirqTask = Self.task(named: "ksoftirqd/\(lab.cpu)")
  }

  /// One for each way, in millions per second.
  func measurements() -> [Measurement] {
    Way.allCases.map { way in
      Measurement(way.rawValue, unit: "million packets/s of a core") {
        let rate = try self.rate(way)
        return rate / 1e6
      }
    }
  }

  private func rate(_ way: Way) throws -> Double {
    replay.prepare(frame, .random, flowCount: 1_000_000)
    var nanoseconds: UInt64 = 0
    try lab.namespace.run { () throws(PlatformError) in
      let sink = try XDPLink.attach(replay.sink, device: lab.gateway)
      switch way {
      case .empty: nanoseconds = try measured(XDPLink.attach(replay.floor, device: lab.device))
      case .xdp: nanoseconds = try measured(XDPLink.attach(kernel.xdp, device: lab.device))
      case .tc:
        _ = try TCFilter.createHook(device: lab.device)
        let filter = TCFilter(device: lab.device, .ingress, priority: 1, handle: 1)
        try filter.attach(kernel.tc)
        nanoseconds = try send()
        try filter.detach()
      case .forwarding: nanoseconds = try send()
      }
      try sink.detach()
    }
    let (unchanged, encapsulated, _) = replay.sunk
    let count = way == .tc || way == .xdp ? encapsulated : unchanged
    guard count > UInt64(packets) / 10 else {
      throw BenchFailure(
        "\(way.rawValue): of \(packets) packets \(unchanged) came as sent, \(encapsulated) encapsulated.")
    }
    return Double(count) / Double(nanoseconds) * 1e9
  }

  private func measured(_ link: consuming XDPLink) throws(PlatformError) -> UInt64 {
    let time = try send()
    try link.detach()
    return time
  }

  /// CPU time that it takes.
  private func send() throws(PlatformError) -> UInt64 {
    let before = CPUClock.nanoseconds + softirqTime()
    try replay.send(packets: packets, device: lab.gateway)
    return CPUClock.nanoseconds + softirqTime() - before
  }

  /// What the CPU's ksoftirqd has run, nanoseconds.
  private func softirqTime() -> UInt64 {
    guard let softirqTask,
      let text = try? String(contentsOfFile: "/proc/\(softirqTask)/schedstat", encoding: .utf8)
    else { return 0 }
    return text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
  }

  private static func task(named name: String) -> String? {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return tasks.first { task in
      guard UInt32(task) != nil else { return false }
      let comm = try? String(contentsOfFile: "/proc/\(task)/comm", encoding: .utf8)
      return comm == name + "\n"
    }
  }
}
