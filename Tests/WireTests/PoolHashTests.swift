import Foundation
import PacketBuilder
import Testing
import Wire

/// docs/hash.md is the specification: its tables and its Python are held against the source.
@Suite struct PoolHashTests {
  static let document: String = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    return (try? String(contentsOf: root.appending(path: "docs/hash.md"), encoding: .utf8)) ?? ""
  }()

  /// The rows of the document's tables that have so many columns and begin with a number.
  static func rows(columns: Int) -> [[String]] {
    document.split(separator: "\n").filter { $0.hasPrefix("| 0x") }
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty } }
      .filter { $0.count == columns }
  }

  static func number(_ text: String) -> UInt64 {
    text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) ?? 0 : UInt64(text) ?? 0
  }

  @Test func vectorsOfTheDocument() throws {
    let rows = Self.rows(columns: 9)
    #expect(rows.count == 22)
    for row in rows {
      let tuple = FiveTuple(
        source: try #require(IPv4Address(row[2])), destination: try #require(IPv4Address(row[3])),
        sourcePort: UInt16(Self.number(row[4])), destinationPort: UInt16(Self.number(row[5])),
        proto: IPProtocol(UInt8(Self.number(row[6]))))
      let fields = try #require(HashedFields.allCases.first { "\($0)" == row[1] })
      let hash = PoolHash(seed: Self.number(row[0])).hash(tuple, fields)
      #expect(hash == Self.number(row[7]), "\(row)")
      #expect(PoolHash.slot(of: hash, slotCount: 65_537) == Int(Self.number(row[8])), "\(row)")
    }
  }

  @Test func permutationsOfTheDocument() throws {
    let rows = Self.rows(columns: 4)
    #expect(rows.count == 8)
    for row in rows {
      let hash = PoolHash(seed: Self.number(row[0]))
      let locator = try #require(IPv4Address(row[1]))
      #expect(hash.hash(locator: locator, round: 1) % 65_537 == Self.number(row[2]))
      #expect(hash.hash(locator: locator, round: 2) % 65_536 + 1 == Self.number(row[3]))
    }
  }

  /// The document's own Python computes the document's own table.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func pythonOfTheDocument() throws {
    let parts = Self.document.components(separatedBy: "```")
    let code = try #require(parts.first { $0.hasPrefix("python") }).dropFirst("python".count)
    var program = String(code)
    for row in Self.rows(columns: 9) {
      program += "print(hex(pool_hash(\(row[0]), '\(row[1])', '\(row[2])', '\(row[3])', "
      program += "\(row[4]), \(row[5]), \(row[6]))))\n"
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", program]
    process.standardOutput = output
    try process.run()
    let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(printed.split(separator: "\n").map { Self.number(String($0)) } == Self.rows(columns: 9).map { Self.number($0[7]) })
  }

  /// Each bit of the input changes each bit of the output in 44 % to 56 % of all cases.
  @Test func avalanche() {
    let hash = PoolHash(seed: 0x5eed)
    var random = Random(seed: 1)
    let inputBits = 104
    var flips = [Int](repeating: 0, count: inputBits * 64)
    let samples = 2_000
    for _ in 0..<samples {
      let tuple = random.tuple()
      let before = hash.hash(tuple)
      for bit in 0..<inputBits {
        var difference = before ^ hash.hash(tuple.flipping(bit))
        while difference != 0 {
          flips[bit * 64 + difference.trailingZeroBitCount] += 1
          difference &= difference - 1
        }
      }
    }
    let range = (samples * 44 / 100)...(samples * 56 / 100)
    #expect(flips.allSatisfy(range.contains))
  }

  /// Clients as they come, with consecutive ports and addresses, spread over slots like chance would.
  @Test(arguments: [0, 1, 0xdead_beef_cafe_f00d] as [UInt64])
  func chiSquareOverSlots(seed: UInt64) {
    let hash = PoolHash(seed: seed)
    let slots = 1_021
    var counts = [Int](repeating: 0, count: slots)
    let connections = 64 * 2_048
    for client in 0..<64 as Range<UInt32> {
      for port in 0..<2_048 as Range<UInt16> {
        let tuple = FiveTuple(
          source: IPv4Address(number: 0xc633_6400 + client), destination: "203.0.113.10",
          sourcePort: 32_768 + port, destinationPort: 80, proto: .tcp)
        counts[PoolHash.slot(of: hash.hash(tuple), slotCount: UInt32(slots))] += 1
      }
    }
    let expected = Double(connections) / Double(slots)
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // Of chi² with 1,020 degrees of freedom, mean 1,020, standard deviation 45: within 5 of them.
    #expect(chiSquare > 795 && chiSquare < 1_245)
  }

  @Test func affinityLeavesOutWhatItShall() {
    let hash = PoolHash(seed: 7)
    let one = FiveTuple(
      source: "198.51.100.10", destination: "203.0.113.10", sourcePort: 1, destinationPort: 2, proto: .tcp)
    let two = FiveTuple(
      source: "198.51.100.10", destination: "203.0.113.10", sourcePort: 3, destinationPort: 4, proto: .tcp)
    let three = FiveTuple(
      source: "198.51.100.10", destination: "203.0.113.10", sourcePort: 3, destinationPort: 4, proto: .udp)
    #expect(hash.hash(one) != hash.hash(two))
    #expect(hash.hash(one, .sourceDestinationAndProtocol) == hash.hash(two, .sourceDestinationAndProtocol))
    #expect(hash.hash(two, .sourceDestinationAndProtocol) != hash.hash(three, .sourceDestinationAndProtocol))
    #expect(hash.hash(two, .sourceAndDestination) == hash.hash(three, .sourceAndDestination))
  }
}

extension FiveTuple {
  /// With one of its 104 bits changed.
  fileprivate func flipping(_ bit: Int) -> FiveTuple {
    let one: UInt32 = 1
    return switch bit {
    case 0..<32:
      FiveTuple(
        source: IPv4Address(number: source.number ^ one << UInt32(bit)), destination: destination,
        sourcePort: sourcePort, destinationPort: destinationPort, proto: proto)
    case 32..<64:
      FiveTuple(
        source: source, destination: IPv4Address(number: destination.number ^ one << UInt32(bit - 32)),
        sourcePort: sourcePort, destinationPort: destinationPort, proto: proto)
    case 64..<80:
      FiveTuple(
        source: source, destination: destination, sourcePort: sourcePort ^ 1 << UInt16(bit - 64),
        destinationPort: destinationPort, proto: proto)
    case 80..<96:
      FiveTuple(
        source: source, destination: destination, sourcePort: sourcePort,
        destinationPort: destinationPort ^ 1 << UInt16(bit - 80), proto: proto)
    default:
      FiveTuple(
        source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
        proto: IPProtocol(proto.rawValue ^ 1 << UInt8(bit - 96)))
    }
  }
}
