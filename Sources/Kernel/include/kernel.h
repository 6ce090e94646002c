// What eBPF programs see of the kernel: contexts, helpers and maps (linux/bpf.h).
//
// A helper is a call through its number as a constant address, which LLVM folds into one instruction. A map is an
// external symbol, whose address the loader puts in.
#pragma once
#include <stdint.h>

struct xdp_md {
  uint32_t data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

// The beginning of struct __sk_buff.
struct sk_buff {
  uint32_t len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority,
      ingress_ifindex, ifindex, tc_index, cb[5], hash, tc_classid, data, data_end, napi_id, family, remote_ip4,
      local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port, data_meta;
  uint64_t flow_keys, tstamp;
  uint32_t wire_len, gso_segs;
  uint64_t sk;
  uint32_t gso_size;
};

struct fib_lookup {
  uint8_t family, l4_protocol;
  uint16_t sport, dport, total_length;
  uint32_t ifindex, tos, source, source_rest[3], destination, destination_rest[3];
  uint16_t vlan_protocol, vlan_tci;
  // 6 bytes each, in units that memory aligns.
  uint32_t source_mac_low;
  uint16_t source_mac_high, destination_mac_low;
  uint32_t destination_mac_high;
};

struct map {
  uint32_t unused;
};
extern struct map endpoints, endpoint_values, tables, targets, movements, flows, flow_counts, totals, rows, snat_ranges,
    snat_hops, settings, devices;
// Of the programs that measure.
extern struct map replay_load, replay_subject;
extern struct map host_muxes, host_inbound, host_outbound, host_machines;

static inline void *map_lookup(struct map *map, const void *key) {
  return ((void *(*)(struct map *, const void *))1)(map, key);
}
static inline long map_update(struct map *map, const void *key, const void *value, uint64_t flags) {
  return ((long (*)(struct map *, const void *, const void *, uint64_t))2)(map, key, value, flags);
}
static inline long map_delete(struct map *map, const void *key) {
  return ((long (*)(struct map *, const void *))3)(map, key);
}
static inline uint64_t ktime_nanoseconds(void) { return ((uint64_t(*)(void))5)(); }
static inline uint64_t jiffies(void) { return ((uint64_t(*)(void))118)(); }
static inline long redirect(uint32_t ifindex, uint64_t flags) {
  return ((long (*)(uint32_t, uint64_t))23)(ifindex, flags);
}
// To an IPv4 neighbour behind a device, so that the kernel need not route again; 0 leaves the neighbour to it.
static inline long redirect_neighbour(uint32_t ifindex, uint32_t address) {
  struct {
    uint32_t family, address[4];
  } neighbour = {2, {address}};
  if (address == 0) return ((long (*)(uint32_t, void *, int, uint64_t))152)(ifindex, 0, 0, 0);
  return ((long (*)(uint32_t, void *, int, uint64_t))152)(ifindex, &neighbour, sizeof(neighbour), 0);
}
// Into the other end of a veth pair, past its queue.
static inline long redirect_peer(uint32_t ifindex) {
  return ((long (*)(uint32_t, uint64_t))155)(ifindex, 0);
}
// Amends a transport checksum, finished or only begun, for a change of 2 or 4 bytes as they lie in the packet.
static inline long skb_amend_checksum(const struct sk_buff *skb, uint32_t offset, uint64_t before, uint64_t after,
                                      uint64_t flags) {
  return ((long (*)(const void *, uint32_t, uint64_t, uint64_t, uint64_t))11)(skb, offset, before, after, flags);
}
static inline long skb_change_type(const struct sk_buff *skb, uint32_t type) {
  return ((long (*)(const void *, uint32_t))32)(skb, type);
}
static inline long xdp_adjust_head(const struct xdp_md *context, int delta) {
  return ((long (*)(const void *, int))44)(context, delta);
}
static inline long skb_pull(const struct sk_buff *skb, uint32_t length) {
  return ((long (*)(const void *, uint32_t))39)(skb, length);
}
static inline long skb_adjust_room(const struct sk_buff *skb, int delta, uint32_t mode, uint64_t flags) {
  return ((long (*)(const void *, int, uint32_t, uint64_t))50)(skb, delta, mode, flags);
}
static inline long fib_lookup(const void *context, struct fib_lookup *parameters, uint32_t flags) {
  return ((long (*)(const void *, struct fib_lookup *, int, uint32_t))69)(context, parameters,
                                                                          sizeof(struct fib_lookup), flags);
}
static inline void atomic_add(uint32_t *number, uint32_t amount) {
  __atomic_fetch_add(number, amount, __ATOMIC_RELAXED);
}

// A number of which the compiler knows nothing, so that a check of it stays a check of this very register: the
// verifier does not follow what else the compiler would have checked instead.
static inline uint64_t opaque(uint64_t number) {
  __asm__("" : "+r"(number));
  return number;
}

// Lookups by map, so that Swift need not take the address of a C symbol.
#define LOOKUP(map) \
  static inline void *map##_at(const void *key) { return map_lookup(&map, key); }
LOOKUP(endpoints)
LOOKUP(endpoint_values)
LOOKUP(tables)
LOOKUP(targets)
LOOKUP(movements)
LOOKUP(flows)
LOOKUP(flow_counts)
LOOKUP(totals)
LOOKUP(rows)
LOOKUP(snat_ranges)
LOOKUP(snat_hops)
LOOKUP(settings)
LOOKUP(devices)
LOOKUP(replay_load)
LOOKUP(host_muxes)
LOOKUP(host_inbound)
LOOKUP(host_outbound)
LOOKUP(host_machines)
#undef LOOKUP
static inline long flows_insert(const void *key, const void *record) {
  return map_update(&flows, key, record, 1 /* BPF_NOEXIST */);
}
static inline long flows_remove(const void *key) { return map_delete(&flows, key); }
static inline void *inner_at(void *map, const void *key) { return map_lookup((struct map *)map, key); }
// Goes on with the program that is measured, and comes back only when there is none.
static inline long replay_tail_call(const struct xdp_md *context) {
  return ((long (*)(const void *, struct map *, uint32_t))12)(context, &replay_subject, 0);
}
