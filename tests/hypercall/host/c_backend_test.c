/* SPDX-License-Identifier: BSD-2-Clause */
/* A backend in C with a thread of its own, on an instance with a thread of its own: every crossing there is. */
#define _DEFAULT_SOURCE /* usleep */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "hypercall/host/virtif.h"
#include "tests/hypercall/host/tap.h"

static struct virtif_error error = {.size = sizeof error};

/* The wire: remembers what was sent, and says what it is told to. */
static struct {
  struct vif_port* port;
  atomic_int sent, send_answer, dying_answer, create_answer, destroyed;
  uint8_t lladdr[6];
  char argument[32];
} wire;

static struct virtif_if* destroy_in_create;

static int wire_create(void* cookie, const char* argument, struct vif_port* port, struct vif_attributes* attributes,
                       void** user) {
  if (destroy_in_create != NULL) virtif_destroy(destroy_in_create, NULL);
  destroy_in_create = NULL;
  if (wire.create_answer != 0) return wire.create_answer;
  strncpy(wire.argument, argument, sizeof wire.argument - 1);
  wire.port = port;
  memcpy(wire.lladdr, attributes->lladdr, 6);
  attributes->slices_max = 4;
  attributes->frame_bytes_min = 60;
  *user = cookie;
  return 0;
}

static int wire_dying(void* user) {
  (void)user;
  return wire.dying_answer;
}

static void wire_destroy(void* user) {
  (void)user;
  wire.port = NULL;
  ++wire.destroyed;
}

static int wire_send(void* user, const struct iovec* iov, size_t iovcnt) {
  size_t bytes = 0;
  for (size_t i = 0; i < iovcnt; ++i) bytes += iov[i].iov_len;
  if (user != &wire || bytes < 60) return EIO;
  if (wire.send_answer != 0) return wire.send_answer;
  ++wire.sent;
  return 0;
}

static const struct vif_backend_ops kOps = {.size = sizeof kOps,
                                            .revision = VIF_BACKEND_REVISION,
                                            .create = wire_create,
                                            .dying = wire_dying,
                                            .destroy = wire_destroy,
                                            .send = wire_send};

static atomic_uint received;

static void on_input(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  (void)cookie, (void)iov, (void)iovcnt, (void)flags;
  /* From inside a callback: output and reading are fine, changing the link is not. */
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &ifr, NULL);
  ifr.u.flags &= ~VIRTIF_IFF_UP;
  if (virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &ifr, NULL) == EDEADLK) ++received;
}

static int set_up(struct virtif_if* ifp, int up) {
  struct virtif_ifreq ifr = {.size = sizeof ifr};
  virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &ifr, &error);
  ifr.u.flags = up ? ifr.u.flags | VIRTIF_IFF_UP : ifr.u.flags & ~VIRTIF_IFF_UP;
  return virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &ifr, &error);
}

static int link_to(struct virtif_if* ifp, const char* text) {
  struct virtif_ifdrv ifd = {.size = sizeof ifd, .ifd_len = strlen(text) + 1, .ifd_data = (void*)text};
  return virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &ifd, &error);
}

static struct virtif_ifdatareq data_of(struct virtif_if* ifp) {
  struct virtif_ifdatareq data = {.size = sizeof data};
  virtif_ioctl(ifp, VIRTIF_SIOCGIFDATA, &data, &error);
  return data;
}

enum { kFrames = 20000 };
static atomic_uint accepted, refused;

static void* deliver_many(void* unused) {
  uint8_t frame[64] = {0};
  memcpy(frame, wire.lladdr, 6);
  struct iovec iov[] = {{frame, 14}, {frame + 14, 50}};
  for (int i = 0; i < kFrames; ++i) {
    const int answer = vif_deliver(wire.port, iov, 2);
    if (answer == 0) ++accepted;
    else if (answer == ENOBUFS) ++refused;
  }
  return unused;
}

static void wait_until(unsigned (*reached)(void*), void* cookie) {
  for (int i = 0; i < 20000 && !reached(cookie); ++i) usleep(500);
}

static unsigned all_seen(void* cookie) {
  const struct virtif_ifdatareq data = data_of(cookie);
  return data.ipackets + data.drop_rx_overrun >= 2 * kFrames;
}
static unsigned carrier_is_down(void* cookie) { return data_of(cookie).link_state == VIRTIF_LINK_STATE_DOWN; }
static unsigned queue_went(void* cookie) { return data_of(cookie).opackets == 2; }

static void test_traffic(struct virtif_if* ifp) {
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, deliver_many, NULL);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  wait_until(all_seen, ifp);
  const struct virtif_ifdatareq data = data_of(ifp);
  CHECK(accepted + refused == 2 * kFrames, "every frame is accepted or refused");
  CHECK(data.ipackets == accepted && received == accepted,
        "the accepted are received, and no callback may stop the link");
  CHECK(data.drop_rx_overrun == refused, "the refused are counted");
}

static void test_output(struct virtif_if* ifp) {
  uint8_t frame[42] = {0x02};
  struct iovec iov = {frame, sizeof frame};
  CHECK(virtif_output(ifp, &iov, 1, &error) == 0 && wire.sent == 1, "a short frame is sent, padded");
  wire.send_answer = EAGAIN;
  CHECK(virtif_output(ifp, &iov, 1, &error) == 0 && wire.sent == 1, "a full backend keeps it queued");
  wire.send_answer = 0;
  vif_ready(wire.port);
  wait_until(queue_went, ifp);
  CHECK(wire.sent == 2, "until it is ready");
  wire.send_answer = EMSGSIZE;
  CHECK(virtif_output(ifp, &iov, 1, &error) == 0 && data_of(ifp).drop_tx_too_long == 1, "a refused size is counted");
  wire.send_answer = EIO;
  CHECK(virtif_output(ifp, &iov, 1, &error) == 0 && data_of(ifp).drop_tx_down == 1, "a broken wire is counted");
  wire.send_answer = 0;
  vif_carrier(wire.port, 0);
  wait_until(carrier_is_down, ifp);
  CHECK(data_of(ifp).link_state == VIRTIF_LINK_STATE_DOWN, "the carrier goes");
}

int main(void) {
  const struct virtif_config config = {.size = sizeof config, .flags = VIRTIF_OWN_THREAD};
  struct virtif* instance = NULL;
  struct virtif_if* ifp = NULL;
  CHECK(virtif_open(&config, &instance, &error) == 0, "an instance with its own thread");
  struct vif_backend_ops wrong = kOps;
  wrong.revision = 99;
  CHECK(vif_backend_add(instance, "wire", &wrong, &wire, &error) == EINVAL, "another revision is refused");
  CHECK(vif_backend_add(instance, "Wire!", &kOps, &wire, &error) == EINVAL, "so is what is no scheme");
  CHECK(vif_backend_add(instance, "wire", &kOps, &wire, &error) == 0, "a backend in C");
  CHECK(vif_backend_add(instance, "wire", &kOps, &wire, &error) == EEXIST, "only once");
  CHECK(virtif_create(instance, "virt", &ifp, &error) == 0, "an interface");
  virtif_set_input(ifp, on_input, NULL, &error);

  wire.create_answer = ENODEV;
  CHECK(link_to(ifp, "wire:w0") == ENODEV && wire.destroyed == 0, "create refuses with its errno");
  wire.create_answer = 0;
  CHECK(link_to(ifp, "wire:w0") == 0 && strcmp(wire.argument, "w0") == 0, "create gets its argument");
  struct iovec none = {wire.lladdr, 6};
  CHECK(vif_deliver(wire.port, &none, 1) == ENETDOWN, "not running: not wanted");
  CHECK(set_up(ifp, 1) == 0, "up");
  CHECK(vif_deliver(wire.port, NULL, 0) == EINVAL, "no bytes are no frame");

  test_traffic(ifp);
  test_output(ifp);

  wire.dying_answer = EBUSY;
  CHECK(virtif_destroy(ifp, &error) == EBUSY && wire.destroyed == 0, "dying refuses and nothing happens");
  CHECK(set_up(ifp, 0) == 0 && set_up(ifp, 1) == 0, "it goes down and up as before");
  wire.dying_answer = 0;
  CHECK(virtif_destroy(ifp, &error) == 0 && wire.destroyed == 1, "then it goes, and destroy is called once");

  CHECK(virtif_create(instance, "virt", &ifp, &error) == 0, "another interface");
  destroy_in_create = ifp;
  link_to(ifp, "wire:w1");
  virtif_close(instance);
  CHECK(wire.destroyed == 2, "destroyed from inside create, it goes once create is done");

  struct virtif* bounded = NULL;
  CHECK(virtif_open(NULL, &bounded, &error) == 0 && vif_backend_add(bounded, "wire", &kOps, &wire, &error) == 0 &&
            virtif_create(bounded, "virt", &ifp, &error) == 0,
        "an instance without a thread");
  wire.create_answer = -ENODEV;
  CHECK(link_to(ifp, "wire:w0") == EIO && strstr(error.text, "positive") != NULL, "a negative answer is EIO");
  wire.create_answer = 0;
  wire.dying_answer = 0;
  CHECK(link_to(ifp, "wire:w0") == 0 && set_up(ifp, 1) == 0 && set_up(ifp, 0) == 0, "up and down");
  vif_carrier(wire.port, 0);
  CHECK(set_up(ifp, 1) == 0 && virtif_poll(bounded, 0) == 0 && carrier_is_down(ifp),
        "a carrier lost while down is known");
  struct iovec pieces[3] = {{NULL, 0}, {wire.lladdr, 6}, {NULL, 0}};
  CHECK(vif_deliver(wire.port, pieces, 3) == 0, "empty pieces are no pieces");
  CHECK(vif_deliver(wire.port, pieces, 65) == EINVAL && vif_deliver(wire.port, NULL, 1) == EINVAL,
        "too many, and none");
  uint8_t frame[60] = {0x02};
  struct iovec out = {frame, sizeof frame};
  CHECK(virtif_output(ifp, &out, 1, &error) == ENETDOWN, "no carrier: output says so");
  virtif_close(bounded);
  return tap_end();
}
