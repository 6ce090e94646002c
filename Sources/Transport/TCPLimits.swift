import Foundation
import NIOCore

/// What Linux is told of every TCP connection, on both sides.
enum TCPLimits {
  /// Gives up a connection whose octets nobody acknowledges.
  ///
  /// Linux would go on sending for a quarter of an hour, also what is closed already: it would arrive long after a
  /// newer connection has said something else.
  @Sendable static func limitSilence(_ channel: any Channel) -> EventLoopFuture<Void> {
    // tcp(7): TCP_USER_TIMEOUT, in milliseconds.
    let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
    return channel.setOption(option, value: Limits.unacknowledgedMilliseconds)
  }

  /// Also gives up a connection that is not there in time, since NIO would wait 10 s, and nobody could stop it.
  @Sendable static func limitConnect(_ channel: any Channel) -> EventLoopFuture<Void> {
    let timer = channel.eventLoop.scheduleTask(in: TimeAmount(Limits.connect)) {
      if !channel.isActive { channel.close(promise: nil) }
    }
    channel.closeFuture.whenComplete { _ in timer.cancel() }
    return limitSilence(channel)
  }
}
