#pragma once
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

// TUNSETIFF and friends are function-like macros (_IOW), which Swift does not import; the offload bits for UDP
// segmentation (Linux 6.2) are missing from older headers, though the running kernel may know them.
enum : unsigned long {
  CTUN_SET_IFF = TUNSETIFF,
  CTUN_SET_OFFLOAD = TUNSETOFFLOAD,
  CTUN_SET_VNET_HDR_SIZE = TUNSETVNETHDRSZ,
  CTUN_SET_PERSIST = TUNSETPERSIST,
  CTUN_GET_IFF = TUNGETIFF,
};
enum : unsigned int {
  CTUN_F_CSUM = 0x01,
  CTUN_F_TSO4 = 0x02,
  CTUN_F_TSO6 = 0x04,
  CTUN_F_TSO_ECN = 0x08,
  CTUN_F_USO4 = 0x20,
  CTUN_F_USO6 = 0x40,
};

// What glibc shows only to _GNU_SOURCE, or only as a macro. Each returns 0 or a count, and -1 with errno set,
// unless said otherwise.

/// ioctl with an integer argument.
int clinux_ioctl_int(int fd, unsigned long request, unsigned long argument);
/// TUNSETIFF: attaches the descriptor to the device of this name, or creates it.
int clinux_tun_attach(int fd, const char *name, short flags);
/// Opens a packet socket that no packet reaches until it is bound: SOCK_RAW, non-blocking, closed on exec.
int clinux_packet_socket(void);
/// Asks for virtio-net headers and no outgoing packets, and for a receive buffer of twice as many bytes, as the
/// kernel counts them.
int clinux_packet_configure(int fd, int bytes);
/// SO_ATTACH_FILTER: puts a classic BPF program in place of the one before.
int clinux_attach_filter(int fd, const struct sock_filter *steps, unsigned short count);
/// Binds a packet socket to a device, for IPv4.
int clinux_packet_bind(int fd, int index);
/// PACKET_STATISTICS: packets that found no room since the last call.
long clinux_packet_drops(int fd);
/// TUNGETIFF: the name of the device the descriptor is attached to.
int clinux_tun_name(int fd, char name[16]);
/// setns(2) into a network namespace, for the calling thread.
int clinux_enter_network_namespace(int fd);
/// unshare(2) of the network namespace, for the calling thread.
int clinux_unshare_network(void);
/// Mounts the calling thread's network namespace on a file.
int clinux_pin_network_namespace(const char *path);
/// Makes a directory a shared mount, as `ip netns add` does.
int clinux_share_mount(const char *path);
/// unshare(2) of the working directory, and setns(2) into a mount namespace, for the calling thread.
int clinux_enter_mount_namespace(int fd);
/// Mounts a bpffs for its owner alone on a directory, and keeps the mount from spreading.
int clinux_mount_bpf(const char *path);
/// Whether a file lies on a bpffs: 1 or 0.
int clinux_is_bpf_filesystem(int fd);
/// umount2(2), lazily.
int clinux_unmount(const char *path);
/// The symbol of an error number, such as "EPERM"; NULL when there is none.
const char *clinux_errno_name(int number);
/// The sentence of an error number, in English; NULL when there is none.
const char *clinux_errno_text(int number);
/// Names the calling thread; at most 15 bytes count.
void clinux_name_thread(const char *name);
/// Pins the calling thread to one CPU; an error number, or 0.
int clinux_pin_thread(int cpu);
/// The lowest `capacity` CPUs the calling thread may run on, in ascending order; the count, or -1.
int clinux_allowed_cpus(int *cpus, int capacity);
/// Blocks SIGINT and SIGTERM for the calling thread and those it starts, and opens a signalfd for them.
int clinux_termination_signals(void);
/// Reads the number of one signal from a signalfd.
int clinux_next_signal(int fd);
