import Control

extension Epoch: MessageValue {
  var proto: ProtoEpoch {
    var proto = ProtoEpoch()
    proto.round = round
    proto.replica = replica
    return proto
  }

  init(_ proto: ProtoEpoch) { self.init(proto.round, replica: proto.replica) }
}
