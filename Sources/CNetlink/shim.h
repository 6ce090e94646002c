#pragma once
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/classifier.h>
#include <netlink/route/link.h>
#include <netlink/route/link/ipip.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <netlink/socket.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

// libnl folds the kernel's error numbers into fewer of its own, and drops ENETUNREACH, say, altogether. This
// callback keeps the original in the int that `kept` points to, and lets libnl go on as it would without it.
static inline int cnetlink_keep_errno(struct sockaddr_nl *from, struct nlmsgerr *message, void *kept) {
  (void)from;
  *(int *)kept = -message->error;
  return NL_STOP;
}

static inline void cnetlink_keep_errors(struct nl_sock *socket, int *kept) {
  nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, cnetlink_keep_errno, kept);
}

/// The number of tc filters of a device below a parent such as TC_H_CLSACT's ingress; a code of libnl below 0.
static inline int cnetlink_filter_count(struct nl_sock *socket, int ifindex, uint32_t parent) {
  struct nl_cache *filters = NULL;
  int code = rtnl_cls_alloc_cache(socket, ifindex, parent, &filters);
  if (code < 0) return code;
  int count = nl_cache_nitems(filters);
  nl_cache_free(filters);
  return count;
}
