#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

int clinux_ioctl_int(int fd, unsigned long request, unsigned long argument) {
  return ioctl(fd, request, argument);
}

int clinux_tun_attach(int fd, const char *name, short flags) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = flags;
  return ioctl(fd, TUNSETIFF, &request);
}

int clinux_tun_name(int fd, char name[16]) {
  struct ifreq request = {0};
  if (ioctl(fd, TUNGETIFF, &request) < 0) return -1;
  memcpy(name, request.ifr_name, IFNAMSIZ);
  return 0;
}

int clinux_packet_socket(void) { return socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int clinux_packet_configure(int fd, int bytes) {
  int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) return -1;
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) return -1;
  // What was sent counts until it is received: some super-packets of 64 KB must fit.
  int sent = 4 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sent, sizeof sent) < 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sent, sizeof sent);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return 0;
  return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int clinux_attach_filter(int fd, const struct sock_filter *steps, unsigned short count) {
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)steps};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int clinux_packet_bind(int fd, int index) {
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
  return bind(fd, (struct sockaddr *)&address, sizeof address);
}

long clinux_packet_drops(int fd) {
  struct tpacket_stats statistics = {0};
  socklen_t size = sizeof statistics;
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0) return -1;
  return statistics.tp_drops;
}

int clinux_enter_network_namespace(int fd) { return setns(fd, CLONE_NEWNET); }

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET); }

int clinux_pin_network_namespace(const char *path) {
  return mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL);
}

int clinux_share_mount(const char *path) {
  if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0) return 0;
  if (errno != EINVAL) return -1;
  if (mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0) return -1;
  return mount("", path, "none", MS_SHARED | MS_REC, NULL);
}

int clinux_enter_mount_namespace(int fd) {
  if (unshare(CLONE_FS) < 0) return -1;
  return setns(fd, CLONE_NEWNS);
}

int clinux_mount_bpf(const char *path) {
  if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0) return -1;
  return mount(NULL, path, NULL, MS_PRIVATE, NULL);
}

int clinux_is_bpf_filesystem(int fd) {
  struct statfs facts;
  return fstatfs(fd, &facts) == 0 && facts.f_type == 0xcafe4a11;
}

int clinux_unmount(const char *path) { return umount2(path, MNT_DETACH); }

const char *clinux_errno_name(int number) { return strerrorname_np(number); }

const char *clinux_errno_text(int number) { return strerrordesc_np(number); }

void clinux_name_thread(const char *name) {
  char shortened[16] = {0};
  strncpy(shortened, name, sizeof shortened - 1);
  pthread_setname_np(pthread_self(), shortened);
}

int clinux_pin_thread(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int clinux_allowed_cpus(int *cpus, int capacity) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) < 0) return -1;
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++)
    if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
  return count;
}

int clinux_termination_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (code != 0) {
    errno = code;
    return -1;
  }
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int clinux_next_signal(int fd) {
  struct signalfd_siginfo info;
  ssize_t count = read(fd, &info, sizeof info);
  if (count != sizeof info) return -1;
  return (int)info.ssi_signo;
}
