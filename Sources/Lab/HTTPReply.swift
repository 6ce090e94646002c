/// Reads one HTTP reply as its bytes arrive; knows as much of RFC 9112 as a page with Content-Length needs.
struct HTTPReply {
  private var bytes: [UInt8] = []

  /// Takes what has arrived; what exceeds the limit is refused.
  mutating func append(_ more: [UInt8]) -> Bool {
    guard bytes.count + more.count <= Limits.replyBytes else { return false }
    bytes += more
    return true
  }

  /// Status and trimmed body, once the reply is whole.
  var whole: (status: Int, body: String)? {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    guard let end = lines.firstIndex(of: ""), end < lines.count - 1 || text.hasSuffix("\r\n\r\n") else {
      return nil
    }
    let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
    let lengths = lines[1..<end].compactMap { line -> Int? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
      return Int(parts[1].drop { $0 == " " })
    }
    let body = lines[(end + 1)...].joined(separator: "\r\n")
    guard let status, let length = lengths.first, body.utf8.count >= length else { return nil }
    let trimmed = body.utf8.prefix(length).filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return (status, String(decoding: trimmed, as: UTF8.self))
  }
}
