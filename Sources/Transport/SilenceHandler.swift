import NIOCore

/// Ends a connection from which no octet has come for too long; both sides send pings, so a living peer is never silent.
///
/// A process that is stopped (SIGSTOP, a frozen machine, a debugger) keeps its connections, and its kernel takes what
/// comes: only that nothing is answered tells it from one that has nothing to say.
final class SilenceHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let limit: TimeAmount
  private var heard = NIODeadline.now()
  private var timer: Scheduled<Void>?

  init(_ limit: Duration) { self.limit = TimeAmount(limit) }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    heard = .now()
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  private func begin(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    heard = .now()
    watch(context)
  }

  private func watch(_ context: ChannelHandlerContext) {
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: heard + limit) {
      guard NIODeadline.now() >= self.heard + self.limit else { return self.watch(context) }
      context.close(promise: nil)
    }
  }
}
