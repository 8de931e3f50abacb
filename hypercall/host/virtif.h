/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libvirtif for C: virtual Ethernet interfaces in this process, and backends of your own for them.
 *
 * Everywhere: 0 is success, anything else a positive errno (BSD's meaning, this host's number) whose sentence is in the
 * virtif_error, when one was given. Handles are opaque. Structs begin with their size, which you set to sizeof: that is
 * how program and library find out that they agree. Strings are borrowed for the call. Nothing here throws, prints or
 * aborts.
 *
 * Threads. A virtif is one domain. Either you poll it, and then every call but those marked "any thread" is for the
 * thread that polls; or you open it with VIRTIF_OWN_THREAD, and then every call may come from any thread, waits for its
 * turn (EAGAIN when too many wait; EIO when the thread has ended), and callbacks come on the virtif's own thread. As
 * they wait, do not make such calls from a callback of another virtif, nor while holding a lock that a callback takes.
 */
#ifndef VIRTIF_H
#define VIRTIF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VIRTIF_PUBLIC __attribute__((visibility("default")))

struct virtif;    /* an instance: one domain with its interfaces */
struct virtif_if; /* one interface */

struct virtif_error {
  size_t size;
  int number;     /* as returned */
  char text[480]; /* what was expected and what to do; ends in 0 */
};

/* --- instances ------------------------------------------------------------------------------------------------- */

#define VIRTIF_OWN_THREAD 1u /* run the domain on a thread of its own */

struct virtif_config {
  size_t size;
  uint32_t flags;
  uint32_t interfaces_max; /* 0: 4096 */
  uint32_t mbufs;          /* ordinary frames the domain can hold; 0: 4096 */
};

/* `config` may be NULL: no own thread, defaults. EINVAL, EMFILE, ENOMEM, EAGAIN (no thread). */
VIRTIF_PUBLIC int virtif_open(const struct virtif_config* config, struct virtif** instance, struct virtif_error* error);
/* Destroys every interface, on the calling thread, and frees the instance. Not from a callback, and no other call may
 * be under way or come later; what was posted and has not run is forgotten. NULL is fine. */
VIRTIF_PUBLIC void virtif_close(struct virtif* instance);

/* Without VIRTIF_OWN_THREAD: wait until virtif_fd is readable or virtif_timeout_ns has passed, then poll. The
 * descriptor is the instance's: watch it, do not read it. */
VIRTIF_PUBLIC int virtif_fd(const struct virtif* instance);
/* Nanoseconds until the next timer is due, at least 0; -1: none. */
VIRTIF_PUBLIC int64_t virtif_timeout_ns(const struct virtif* instance);
/* One round, at most `budget` frames (0: 64) an interface. 1: there is more to do at once; 0: wait. From inside a
 * callback, and with VIRTIF_OWN_THREAD, it does nothing and returns 0. */
VIRTIF_PUBLIC int virtif_poll(struct virtif* instance, size_t budget);
/* Any thread: runs `work(cookie)` at the next poll. EAGAIN: too much is posted already, and nothing will happen. */
VIRTIF_PUBLIC int virtif_post(struct virtif* instance, void (*work)(void* cookie), void* cookie);

/* --- interfaces ------------------------------------------------------------------------------------------------ */

/* "virt0", or "virt" for the lowest free unit. EINVAL (unknown kind: the text lists them), EEXIST, ENOSPC. */
VIRTIF_PUBLIC int virtif_create(struct virtif* instance, const char* name, struct virtif_if** interface,
                                struct virtif_error* error);
/* Brings it down first. After success the handle is gone; after an error (the backend's, EBUSY for instance) everything
 * is as before. From inside a callback nothing more is passed up at once, and the rest happens at the next poll. */
VIRTIF_PUBLIC int virtif_destroy(struct virtif_if* interface, struct virtif_error* error);
/* Valid as long as the interface. */
VIRTIF_PUBLIC const char* virtif_name(const struct virtif_if* interface);

/* Sends one whole Ethernet frame (header included, no FCS) gathered from `iov`, which is copied. Success: it was queued
 * or sent. ENETDOWN (not linked, up and running, or no carrier), EMSGSIZE (above the MTU), EINVAL (below 14 bytes),
 * ENOBUFS. */
VIRTIF_PUBLIC int virtif_output(struct virtif_if* interface, const struct iovec* iov, size_t iovcnt,
                                struct virtif_error* error);

/* Receives whole frames as on the wire: super-frames are cut and open checksums finished first. `iov` is borrowed for
 * the call. `flags` are VIRTIF_M_*. */
typedef void (*virtif_input_fn)(void* cookie, struct virtif_if* interface, const struct iovec* iov, size_t iovcnt,
                                unsigned flags);
#define VIRTIF_M_BCAST 1u   /* to the broadcast address */
#define VIRTIF_M_MCAST 2u   /* to a group */
#define VIRTIF_M_PROMISC 4u /* only here because of promiscuous mode */
/* Replaces the receiver; NULL: none, and frames are counted as noproto. */
VIRTIF_PUBLIC int virtif_set_input(struct virtif_if* interface, virtif_input_fn input, void* cookie,
                                   struct virtif_error* error);

/* --- ioctl: BSD's commands ------------------------------------------------------------------------------------- */

enum virtif_command {
  VIRTIF_SIOCGIFFLAGS = 1, /* ifreq: flags out */
  VIRTIF_SIOCSIFFLAGS,     /* ifreq: what GIFFLAGS says, changed. EINVAL: a flag of the interface's; ENXIO: no link */
  VIRTIF_SIOCGIFMTU,       /* ifreq: mtu out */
  VIRTIF_SIOCSIFMTU,       /* ifreq: mtu in, 46 to the backend's most. EINVAL */
  VIRTIF_SIOCGIFLLADDR,    /* ifreq: lladdr out */
  VIRTIF_SIOCSIFLLADDR,    /* ifreq: lladdr in. EINVAL: a group address */
  VIRTIF_SIOCADDMULTI,     /* ifreq: group in; counted. EINVAL, EAFNOSUPPORT, ENOBUFS */
  VIRTIF_SIOCDELMULTI,     /* ifreq: group in. ENXIO: not joined */
  VIRTIF_SIOCSIFPROMISC,   /* ifreq: on in; counted */
  VIRTIF_SIOCSIFALLMULTI,  /* ifreq: on in; counted */
  VIRTIF_SIOCGIFINDEX,     /* ifreq: index out */
  VIRTIF_SIOCGIFLINK,      /* ifreq: link_state out */
  VIRTIF_SIOCINITIFADDR,   /* NULL: a protocol has an address here, so the interface is brought up */
  VIRTIF_SIOCGIFDATA,      /* ifdatareq out */
  VIRTIF_SIOCZIFDATA,      /* ifdatareq out, then all counters are 0 */
  VIRTIF_SIOCGLINKSTR,     /* ifdrv: the link string out. ENOENT: unlinked; ENAMETOOLONG: ifd_len says what it needs */
  VIRTIF_SIOCSLINKSTR      /* ifdrv: the link string in. EBUSY: up, or linked; EINVAL; E2BIG; the backend's errno */
};

/* BSD's flags and numbers, not Linux's. The user sets UP, DEBUG, NOARP, LINK0-2; the rest is the interface's. */
#define VIRTIF_IFF_UP 0x0001u
#define VIRTIF_IFF_BROADCAST 0x0002u
#define VIRTIF_IFF_DEBUG 0x0004u
#define VIRTIF_IFF_RUNNING 0x0040u
#define VIRTIF_IFF_NOARP 0x0080u
#define VIRTIF_IFF_PROMISC 0x0100u
#define VIRTIF_IFF_ALLMULTI 0x0200u
#define VIRTIF_IFF_OACTIVE 0x0400u
#define VIRTIF_IFF_SIMPLEX 0x0800u
#define VIRTIF_IFF_LINK0 0x1000u
#define VIRTIF_IFF_LINK1 0x2000u
#define VIRTIF_IFF_LINK2 0x4000u
#define VIRTIF_IFF_MULTICAST 0x8000u

#define VIRTIF_LINK_STATE_UNKNOWN 0u
#define VIRTIF_LINK_STATE_DOWN 1u
#define VIRTIF_LINK_STATE_UP 2u

struct virtif_ifreq {
  size_t size;
  union {
    uint32_t flags;
    uint32_t mtu;
    uint32_t index;
    uint32_t link_state;
    uint32_t on;
    uint8_t lladdr[6];
    struct {
      int family; /* AF_UNSPEC: a MAC address; AF_INET, AF_INET6: its group, all zero: every group of the family */
      uint8_t address[16]; /* in network order, as many bytes as the family has */
    } group;
  } u;
};

#define VIRTIF_IFLINKSTR_QUERYLEN 1ul /* GLINKSTR: only the length, its 0 included, into ifd_len */
#define VIRTIF_IFLINKSTR_UNSET 2ul    /* SLINKSTR: unlink. EBUSY: up; ENOENT: unlinked */

struct virtif_ifdrv {
  size_t size;
  unsigned long ifd_cmd; /* 0, or one of the above; else ENOTTY */
  size_t ifd_len;        /* bytes at ifd_data; GLINKSTR sets it to what the string takes with its 0 */
  void* ifd_data;
};

struct virtif_ifdatareq {
  size_t size;
  uint64_t ipackets, ibytes, imcasts;
  uint64_t opackets, obytes, omcasts;
  uint64_t ierrors, oerrors, iqdrops, oqdrops, noproto, collisions;
  uint64_t baudrate; /* bits per second; 0: unknown */
  uint32_t link_state, mtu;
  /* Every frame is in ipackets or one of the first, in opackets, still queued, or one of the second. Of a
   * super-frame that is cut for its link each segment is in opackets or one of drop_tx_impaired and drop_tx_error. */
  uint64_t drop_other_linktype, drop_other_network, drop_unknown_peer, drop_rx_overrun, drop_rx_impaired,
      drop_rx_malformed, drop_not_running, drop_too_short, drop_too_long, drop_own_echo, drop_not_for_us, drop_no_mbuf;
  uint64_t drop_queue_full, drop_tx_too_short, drop_tx_too_long, drop_tx_offload, drop_tx_no_mbuf, drop_tx_down,
      drop_tx_impaired, drop_tx_error;
  uint64_t linearised; /* frames copied into one piece for the backend */
};

/* ENOTTY: no such command. EFAULT: no data. EINVAL: a struct of another size. EDEADLK: flags or link from inside a
 * callback. Errors change nothing. */
VIRTIF_PUBLIC int virtif_ioctl(struct virtif_if* interface, unsigned long command, void* data,
                               struct virtif_error* error);

/* --- backends of your own: rump's five names ------------------------------------------------------------------- */

struct vif_port; /* the library's end of an open link; yours from create until destroy returns */

/* What create may change; set to usable values before. */
struct vif_attributes {
  size_t size;
  uint8_t lladdr[6];        /* in: the interface's address; change it if the wire knows a better one */
  uint16_t slices_max;      /* pieces send takes; 1 */
  uint32_t frame_bytes_max; /* 65550 */
  uint32_t frame_bytes_min; /* frames are padded to this, at most 60; 0 */
  uint32_t reflects;        /* whether our own frames come back; 0 */
  uint64_t baudrate;        /* 0: unknown */
};

#define VIF_BACKEND_REVISION 1u

/* Called on the domain's thread, or by virtif_close. From inside them, as from any callback: flags and links cannot be
 * changed (EDEADLK), and what is destroyed goes later. */
struct vif_backend_ops {
  size_t size;
  uint32_t revision; /* VIF_BACKEND_REVISION */
  /* Opens what `argument` names. `user` is handed to the others. An errno refuses, and nothing stays open. */
  int (*create)(void* cookie, const char* argument, struct vif_port* port, struct vif_attributes* attributes,
                void** user);
  /* May refuse to go with an errno, changing nothing. NULL: never refuses. */
  int (*dying)(void* user);
  /* Stops and closes; no vif_ call on the port after it returns. */
  void (*destroy)(void* user);
  /* Sends one frame, borrowed for the call. 0; EAGAIN: keep it, vif_ready will come; EMSGSIZE: never; else: the wire is
   * gone for now. Must not call vif_deliver for its own port and must not block. */
  int (*send)(void* user, const struct iovec* iov, size_t iovcnt);
};

/* Makes `scheme:` a kind of link string; before the first interface is linked. `ops` and `cookie` stay yours and
 * outlive the instance. EINVAL (wrong size, revision or scheme), EEXIST. */
VIRTIF_PUBLIC int vif_backend_add(struct virtif* instance, const char* scheme, const struct vif_backend_ops* ops,
                                  void* cookie, struct virtif_error* error);

/* Any thread: a frame from the wire, copied. ENETDOWN: the interface is not running, the frame is not wanted. ENOBUFS:
 * it was dropped and counted (rx_overrun). EINVAL: no bytes or more than 262144, or more than 64 pieces. */
VIRTIF_PUBLIC int vif_deliver(struct vif_port* port, const struct iovec* iov, size_t iovcnt);
/* Any thread: send takes frames again. */
VIRTIF_PUBLIC void vif_ready(struct vif_port* port);
/* Any thread: the carrier came (1) or went (0). */
VIRTIF_PUBLIC void vif_carrier(struct vif_port* port, int up);

#ifdef __cplusplus
}
#endif

#endif
