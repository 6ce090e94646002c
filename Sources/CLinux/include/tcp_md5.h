// TCP MD5 signatures (RFC 2385): the structure holds a sockaddr_storage, which Swift can only fill byte by byte.
#ifndef CLINUX_TCP_MD5_H
#define CLINUX_TCP_MD5_H

#include <stddef.h>
#include <stdint.h>
// The BGP thread is woken by an event descriptor, whose header the Glibc module leaves out.
#include <sys/eventfd.h>

// Signs every segment to and from a peer; to be called before connect.
// The address is in network byte order. Returns 0, or -1 with errno set.
int clinux_set_tcp_md5(int socket, uint32_t peer_address, const uint8_t *key, size_t key_length);

#endif
