internal import Platform

/// One worker's packet socket on one uplink; closed when nobody holds it any more.
final class UplinkSocket: Sendable {
  let socket: PacketSocket
  let worker: Int

  /// Opens a socket that lets nothing in until it gets a filter.
  init(on link: NetworkLink, worker: Int) throws(PlatformError) {
    socket = try PacketSocket.open(on: link, filter: .nothing)
    self.worker = worker
  }
}
