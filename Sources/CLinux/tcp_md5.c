#define _GNU_SOURCE
#include "include/tcp_md5.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

int clinux_set_tcp_md5(int socket, uint32_t peer_address, const uint8_t *key, size_t key_length) {
  struct tcp_md5sig signature;
  struct sockaddr_in peer;
  if (key_length == 0 || key_length > TCP_MD5SIG_MAXKEYLEN) {
    errno = EINVAL;
    return -1;
  }
  memset(&peer, 0, sizeof peer);
  peer.sin_family = AF_INET;
  peer.sin_addr.s_addr = peer_address;
  memset(&signature, 0, sizeof signature);
  memcpy(&signature.tcpm_addr, &peer, sizeof peer);
  signature.tcpm_keylen = (uint16_t)key_length;
  memcpy(signature.tcpm_key, key, key_length);
  int result = setsockopt(socket, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof signature);
  explicit_bzero(&signature, sizeof signature);
  return result;
}
