import Foundation
import NIOCore
import NIOSSL

/// What Linux is told of every TCP connection, on both sides.
enum TCPLimits {
  /// Gives up a connection whose octets nobody acknowledges, or from which nothing comes.
  ///
  /// Linux would go on sending for a quarter of an hour, also what is closed already: it would arrive long after a
  /// newer connection has said something else.
  @Sendable static func limitSilence(_ channel: any Channel) -> EventLoopFuture<Void> {
    // tcp(7): TCP_USER_TIMEOUT, in milliseconds.
    let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
    return channel.eventLoop.makeCompletedFuture {
      // Before TLS, which would say farewell to a peer that is not there, and wait for its answer.
      try channel.pipeline.syncOperations.addHandler(SilenceHandler(Limits.silence), position: .first)
    }.flatMap { channel.setOption(option, value: Limits.unacknowledgedMilliseconds) }
  }

  /// Also gives up a connection that is not there in time, or cannot carry a request; NIO would wait 10 s, and
  /// nobody could stop it.
  ///
  /// A manager that is stopped takes connections all the same, as its kernel does that, but shakes no hands.
  @Sendable static func limitConnect(
    _ channel: any Channel, isInUse: @escaping @Sendable () -> Bool
  ) -> EventLoopFuture<Void> {
    let connect = timer(Limits.connect, channel) { !channel.isActive }
    let handshake = timer(Limits.handshake, channel) { !isInUse() }
    channel.closeFuture.whenComplete { _ in
      connect.cancel()
      handshake.cancel()
    }
    return limitSilence(channel)
  }

  /// On the server's side: also ends a connection whose peer has not proven a certificate in time.
  ///
  /// Whoever connects and says nothing, or says it slowly, would hold a descriptor each, for as long as it likes,
  /// without anybody having asked who it is.
  static func limitHandshake(
    _ channel: any Channel, whenLate: @escaping @Sendable (_ peer: String) -> Void
  ) -> EventLoopFuture<Void> {
    let handshake = timer(Limits.handshake, channel) {
      guard channel.isActive,
        (try? channel.pipeline.syncOperations.nioSSL_peerValidatedCertificateChain()) == nil
      else {
        return false
      }
      whenLate(channel.remoteAddress.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" } ?? "")
      return true
    }
    channel.closeFuture.whenComplete { _ in handshake.cancel() }
    return limitSilence(channel)
  }

  private static func timer(
    _ limit: Duration, _ channel: any Channel, isLate: @escaping @Sendable () -> Bool
  ) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
      if isLate() { channel.close(promise: nil) }
    }
  }
}
