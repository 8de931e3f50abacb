/* SPDX-License-Identifier: BSD-2-Clause */
/* libvirtif as a C program uses it: instances, interfaces, ioctls, frames over mem:. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "hypercall/host/virtif.h"
#include "tests/hypercall/host/tap.h"

static struct virtif_error error = {.size = sizeof error};

static int set_linkstr(struct virtif_if* ifp, const char* text) {
  struct virtif_ifdrv ifd = {.size = sizeof ifd, .ifd_len = strlen(text) + 1, .ifd_data = (void*)text};
  return virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &ifd, &error);
}

static int unset_linkstr(struct virtif_if* ifp) {
  struct virtif_ifdrv ifd = {.size = sizeof ifd, .ifd_cmd = VIRTIF_IFLINKSTR_UNSET};
  return virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &ifd, &error);
}

static uint32_t flags_of(struct virtif_if* ifp) {
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  return virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &ifr, &error) == 0 ? ifr.u.flags : 0;
}

static int set_up(struct virtif_if* ifp, int up) {
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  ifr.u.flags = up ? flags_of(ifp) | VIRTIF_IFF_UP : flags_of(ifp) & ~VIRTIF_IFF_UP;
  return virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &ifr, &error);
}

static int set_number(struct virtif_if* ifp, unsigned long command, uint32_t number) {
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  ifr.u.mtu = number;
  return virtif_ioctl(ifp, command, &ifr, &error);
}

static struct virtif_ifdatareq data_of(struct virtif_if* ifp, unsigned long command) {
  struct virtif_ifdatareq data = {.size = sizeof data};
  if (virtif_ioctl(ifp, command, &data, &error) != 0) data.size = 0;
  return data;
}

static void lladdr_of(struct virtif_if* ifp, uint8_t* mac) {
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  virtif_ioctl(ifp, VIRTIF_SIOCGIFLLADDR, &ifr, &error);
  memcpy(mac, ifr.u.lladdr, 6);
}

static void poll_all(struct virtif* instance) {
  while (virtif_poll(instance, 0)) {
  }
}

static void test_names(struct virtif* instance) {
  struct virtif_if *a = NULL, *b = NULL;
  CHECK(virtif_create(instance, "virt7", &a, &error) == 0, "a unit is made by name");
  CHECK(strcmp(virtif_name(a), "virt7") == 0, "and has that name");
  CHECK(virtif_create(instance, "virt", &b, &error) == 0 && strcmp(virtif_name(b), "virt0") == 0,
        "any unit: the lowest");
  struct virtif_if* none = NULL;
  CHECK(virtif_create(instance, "virt7", &none, &error) == EEXIST, "a taken name is EEXIST");
  CHECK(virtif_create(instance, "eth0", &none, &error) == EINVAL && strstr(error.text, "virt") != NULL,
        "an unknown kind is EINVAL and the text lists the known");
  CHECK(virtif_create(instance, NULL, &none, &error) == EFAULT, "no name is EFAULT");
  CHECK(virtif_destroy(a, &error) == 0 && virtif_destroy(b, &error) == 0, "both go away");
}

static void test_linkstr(struct virtif* instance) {
  struct virtif_if* ifp = NULL;
  virtif_create(instance, "virt0", &ifp, &error);
  char text[32] = "";
  struct virtif_ifdrv ifd = {.size = sizeof ifd, .ifd_len = sizeof text, .ifd_data = text};
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &ifd, &error) == ENOENT, "unlinked: ENOENT");
  CHECK(set_linkstr(ifp, "nonsense") == EINVAL, "what is no link string is EINVAL");
  CHECK(set_linkstr(ifp, "tapp:x") == EINVAL && strstr(error.text, "mem") != NULL, "an unknown scheme lists the known");
  CHECK(set_linkstr(ifp, "pcap:/no/such/file.pcap") == ENOENT, "the backend's errno comes through");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &ifd, &error) == ENOENT, "a failed link leaves none behind");
  CHECK(set_linkstr(ifp, "mem:c") == 0, "and another try works");
  CHECK(set_linkstr(ifp, "mem:d") == EBUSY, "linked already: EBUSY");

  struct virtif_ifdrv query = {.size = sizeof query, .ifd_cmd = VIRTIF_IFLINKSTR_QUERYLEN};
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &query, &error) == 0 && query.ifd_len == sizeof "mem:c", "QUERYLEN");
  struct virtif_ifdrv small = {.size = sizeof small, .ifd_len = 2, .ifd_data = text};
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &small, &error) == ENAMETOOLONG && small.ifd_len == sizeof "mem:c",
        "a short buffer is ENAMETOOLONG and is told the length needed");
  CHECK(text[0] == '\0', "and stays as it was");
  ifd.ifd_len = sizeof text;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &ifd, &error) == 0 && strcmp(text, "mem:c") == 0, "the link string");
  CHECK(ifd.ifd_len == sizeof "mem:c", "with its length, also on success");
  struct virtif_ifdrv wrong = {.size = sizeof wrong, .ifd_cmd = 99, .ifd_len = sizeof text, .ifd_data = text};
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &wrong, &error) == ENOTTY, "a wrong subcommand is ENOTTY, getting");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &wrong, &error) == ENOTTY, "and setting");
  wrong.ifd_cmd = 0;
  wrong.ifd_len = 5000;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &wrong, &error) == E2BIG, "above 4096 characters is E2BIG");
  wrong.ifd_len = 0;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &wrong, &error) == EINVAL, "empty is EINVAL");

  CHECK(set_up(ifp, 1) == 0, "up");
  CHECK(unset_linkstr(ifp) == EBUSY, "unlinking while up is EBUSY");
  CHECK(set_up(ifp, 0) == 0 && unset_linkstr(ifp) == 0, "down, then unlink");
  CHECK(set_up(ifp, 1) == ENXIO && (flags_of(ifp) & VIRTIF_IFF_UP) == 0,
        "up without a link is ENXIO, and it is not UP");
  CHECK(set_linkstr(ifp, "mem:e") == 0, "re-link");
  CHECK(virtif_destroy(ifp, &error) == 0, "destroy");
}

static void test_ioctl(struct virtif* instance) {
  struct virtif_if* ifp = NULL;
  virtif_create(instance, "virt0", &ifp, &error);
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  CHECK(flags_of(ifp) == (VIRTIF_IFF_BROADCAST | VIRTIF_IFF_SIMPLEX | VIRTIF_IFF_MULTICAST), "flags from creation");
  CHECK(virtif_ioctl(ifp, 0, &ifr, &error) == ENOTTY && virtif_ioctl(ifp, 1000, &ifr, &error) == ENOTTY,
        "no such command");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGIFMTU, NULL, &error) == EFAULT, "no data is EFAULT");
  ifr.size = 4;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGIFMTU, &ifr, &error) == EINVAL, "a struct of another size is EINVAL");
  CHECK(set_number(ifp, VIRTIF_SIOCSIFMTU, 45) == EINVAL && strstr(error.text, "46") != NULL, "MTU 45 is EINVAL");
  CHECK(set_number(ifp, VIRTIF_SIOCSIFMTU, 9000) == 0, "MTU 9000");
  CHECK(set_number(ifp, VIRTIF_SIOCSIFFLAGS, flags_of(ifp) | VIRTIF_IFF_PROMISC) == EINVAL,
        "PROMISC is no flag to set");
  CHECK(set_number(ifp, VIRTIF_SIOCSIFPROMISC, 1) == 0 && (flags_of(ifp) & VIRTIF_IFF_PROMISC) != 0, "but counted on");
  CHECK(set_number(ifp, VIRTIF_SIOCSIFPROMISC, 0) == 0 && set_number(ifp, VIRTIF_SIOCSIFPROMISC, 0) == EINVAL,
        "and off, once");
  struct virtif_ifreq group = {.size = sizeof group, .u.group = {AF_INET, {224, 0, 0, 251}}};
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCADDMULTI, &group, &error) == 0, "join an IPv4 group");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCDELMULTI, &group, &error) == 0, "leave it");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCDELMULTI, &group, &error) == ENXIO, "leaving again is ENXIO");
  group.u.group.family = 4711;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCADDMULTI, &group, &error) == EAFNOSUPPORT, "another family is EAFNOSUPPORT");
  memset(&group.u, 0, sizeof group.u);
  group.u.group.family = AF_INET6;
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCADDMULTI, &group, &error) == 0 && (flags_of(ifp) & VIRTIF_IFF_ALLMULTI) != 0,
        "every IPv6 group makes ALLMULTI");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCINITIFADDR, NULL, &error) == ENXIO, "an address cannot start it without a link");
  CHECK(virtif_ioctl(ifp, VIRTIF_SIOCGIFMTU, &ifr, NULL) == EINVAL, "the error is optional");
  CHECK(virtif_destroy(ifp, &error) == 0, "destroy with groups joined");
}

struct seen {
  unsigned frames, flags;
  size_t bytes;
  struct virtif_if* destroy; /* from inside the callback */
  struct virtif* poll;       /* likewise */
  int polled;
};

static void on_input(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  struct seen* seen = cookie;
  (void)ifp;
  ++seen->frames;
  seen->flags = flags;
  for (size_t i = 0; i < iovcnt; ++i) seen->bytes += iov[i].iov_len;
  if (seen->poll != NULL) seen->polled += virtif_poll(seen->poll, 0);
  if (seen->destroy != NULL) {
    virtif_destroy(seen->destroy, NULL);
    seen->destroy = NULL;
  }
}

static int send_to(struct virtif_if* from, const uint8_t* dst, size_t bytes) {
  uint8_t frame[2048] = {0};
  memcpy(frame, dst, 6);
  lladdr_of(from, frame + 6);
  frame[12] = 0x88;
  frame[13] = 0xb5;
  /* In four pieces, one of them empty. */
  struct iovec iov[] = {{frame, 5}, {frame + 5, 9}, {frame, 0}, {frame + 14, bytes - 14}};
  return virtif_output(from, iov, 4, &error);
}

static void test_frames(struct virtif* instance) {
  struct virtif_if *a = NULL, *b = NULL;
  virtif_create(instance, "virt0", &a, &error);
  virtif_create(instance, "virt1", &b, &error);
  struct seen seen = {0};
  virtif_set_input(b, on_input, &seen, &error);
  uint8_t to_b[6], broadcast[6] = {255, 255, 255, 255, 255, 255}, other[6] = {2, 9, 9, 9, 9, 9};
  lladdr_of(b, to_b);
  CHECK(send_to(a, to_b, 60) == ENETDOWN, "output while down is ENETDOWN");
  CHECK(set_linkstr(a, "mem:lan") == 0 && set_linkstr(b, "mem:lan") == 0 && set_up(a, 1) == 0 && set_up(b, 1) == 0,
        "two interfaces on one segment");
  CHECK(send_to(a, to_b, 60) == 0, "output");
  poll_all(instance);
  CHECK(seen.frames == 1 && seen.bytes == 60 && seen.flags == 0, "arrives whole");
  CHECK(send_to(a, broadcast, 100) == 0, "a broadcast");
  poll_all(instance);
  CHECK(seen.frames == 2 && seen.flags == VIRTIF_M_BCAST, "arrives and is marked");
  CHECK(send_to(a, other, 60) == 0, "to somebody else");
  poll_all(instance);
  CHECK(seen.frames == 2, "does not arrive");
  CHECK(set_number(b, VIRTIF_SIOCSIFPROMISC, 1) == 0 && send_to(a, other, 60) == 0, "promiscuous");
  poll_all(instance);
  CHECK(seen.frames == 3 && seen.flags == VIRTIF_M_PROMISC, "it does, and is marked");
  CHECK(send_to(a, to_b, 1515) == EMSGSIZE, "above the MTU is EMSGSIZE");
  CHECK(virtif_output(a, NULL, 0, &error) == EINVAL, "no frame is EINVAL");

  struct virtif_ifdatareq out = data_of(a, VIRTIF_SIOCGIFDATA), in = data_of(b, VIRTIF_SIOCZIFDATA);
  CHECK(out.opackets == 4 && out.drop_tx_down == 1 && out.drop_tx_too_long == 1 && out.oerrors == 3,
        "sent and dropped");
  CHECK(in.ipackets == 3 && in.ibytes == 220 && in.drop_not_for_us == 1 && in.imcasts == 1, "received and dropped");
  in = data_of(b, VIRTIF_SIOCGIFDATA);
  CHECK(in.ipackets == 0 && in.drop_not_for_us == 0, "ZIFDATA zeroed");

  seen.poll = instance;
  seen.destroy = b;
  CHECK(send_to(a, to_b, 60) == 0 && send_to(a, to_b, 60) == 0,
        "two frames, the first callback destroys the interface");
  poll_all(instance);
  CHECK(seen.frames == 4, "and nothing comes after it");
  CHECK(seen.polled == 0, "a poll from inside it does nothing");
  CHECK(virtif_create(instance, "virt1", &b, &error) == 0, "its name is free again");
  /* Both are left for virtif_close. */
}

static void set_one(void* cookie) { *(int*)cookie = 1; }

static void test_foreign_loop(struct virtif* instance) {
  struct pollfd wait = {.fd = virtif_fd(instance), .events = POLLIN};
  poll_all(instance);
  CHECK(poll(&wait, 1, 0) == 0, "idle: the descriptor is quiet");
  int ran = 0;
  CHECK(virtif_post(instance, set_one, &ran) == 0 && poll(&wait, 1, 0) == 1, "posted: it is readable");
  virtif_poll(instance, 0);
  CHECK(ran == 1 && poll(&wait, 1, 0) == 0, "polled: the work is done");
  CHECK(virtif_timeout_ns(instance) == -1, "no timer");
}

int main(void) {
  struct virtif* instance = NULL;
  const struct virtif_config wrong = {.size = 3};
  CHECK(virtif_open(&wrong, &instance, &error) == EINVAL && instance == NULL, "a config of another size is EINVAL");
  CHECK(virtif_open(NULL, &instance, &error) == 0, "open");
  test_names(instance);
  test_linkstr(instance);
  test_ioctl(instance);
  test_foreign_loop(instance);
  test_frames(instance);
  virtif_close(instance);
  virtif_close(NULL);
  return tap_end();
}
