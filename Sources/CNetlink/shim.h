#pragma once
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
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
