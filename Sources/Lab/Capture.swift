import Foundation
import Glibc

/// A packet capture on one interface of a member, into a file of the lab.
public struct Capture: Sendable {
  /// The file, in pcap format.
  public let file: String
  private let process: RecordedProcess
  private let log: String

  /// Begins to capture; packets that are sent after this returns are in the file.
  ///
  /// `filter` is tcpdump's; `snapLength` bytes of each packet are kept.
  public static func start(
    in lab: Lab, on member: String, device: String, filter: String, snapLength: Int = 128, file: String? = nil
  ) async throws(LabError) -> Capture {
    let directory = "\(lab.directory)/captures"
    try StateFiles.makeDirectory(directory)
    let stem = "\(directory)/\(member)-\(device)-\(MonotonicTime.now)"
    let file = file ?? "\(stem).pcap"
    let words = [
      "tcpdump", "-Z", "root", "-n", "-U", "--immediate-mode", "-i", device, "-s", String(snapLength), "-B",
      "16384", "-w", file,
      filter,
    ]
    let daemon = Daemon(
      member: member, duty: .measurement, label: "tcpdump", namespace: try lab.namespace(of: member),
      words: words, directory: directory, log: "\(stem).log")
    let process = try await daemon.start()
    let capture = Capture(file: file, process: process, log: "\(stem).log")
    let listens = await Patience.wait(upTo: Limits.daemonStartMilliseconds) {
      capture.said.contains("listening on") || !process.isRunning
    }
    guard listens, process.isRunning else {
      throw LabError(.command, "tcpdump on \(member) does not capture: \(capture.said)")
    }
    return capture
  }

  private var said: String {
    FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Ends the capture; the file is whole when this returns.
  public func stop() async throws(LabError) {
    // What the last packets of the traffic set in motion may still be on its way.
    try? await Task.sleep(for: .milliseconds(100))
    process.signal(SIGINT)
    guard await Patience.wait(upTo: Limits.killMilliseconds, until: { !process.isRunning }) else {
      throw LabError(.timeout, "tcpdump, process \(process.pid), does not end.")
    }
  }

  /// How many of the captured packets match a filter.
  public func count(_ filter: String = "") async throws(LabError) -> Int {
    let text = try await ExternalCommand(
      ["tcpdump", "-n", "-r", file, "--count"] + (filter.isEmpty ? [] : [filter])
    )
    .check()
    // "17 packets"
    return text.split(separator: " ").first.flatMap { Int($0) } ?? 0
  }

  /// What tshark finds wrong with the captured packets: malformed ones and bad checksums, one line each.
  ///
  /// Checksums that the sender left to "the hardware" look bad; capture in a lab without offloads. Of what TCP and UDP
  /// carry only BGP is read: elsewhere tshark goes by the port's number, and calls a stream malformed whose client
  /// happened to get that of some protocol (iperf3 from port 34980 is no EtherCAT). A TCP checksum of 0xffff where 0 is
  /// expected is not wrong: Linux writes this other zero of ones' complement for one segment of 65,536 (RFC 1071).
  public func faults() async throws(LabError) -> [String] {
    let checks = ["ip", "tcp", "udp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }
    let payloads = ["tcp.port==1-178", "tcp.port==180-65535", "udp.port==1-65535"]
      .flatMap { ["-d", "\($0),data"] }
    let wrong = [
      "_ws.malformed", "ip.checksum.status == \"Bad\"", "udp.checksum.status == \"Bad\"",
      "(tcp.checksum.status == \"Bad\" && !tcp.checksum.ffff)",
    ].joined(separator: " || ")
    let words = ["tshark", "-n", "-r", file] + checks + payloads + ["-Y", wrong]
    let text = try await ExternalCommand(words).check()
    return text.split(separator: "\n").map(String.init)
  }
}
