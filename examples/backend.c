/* SPDX-License-Identifier: BSD-2-Clause */
/* A backend of your own with a thread of its own: `loop:` is a wire whose far end answers every frame, a little later.
 * send only hands over and never blocks; the thread delivers. Build: cc backend.c -pthread $(pkg-config --cflags --libs
 * virtif) */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <virtif.h>

enum { kFrames = 16, kFrameBytes = 1514 };

struct wire {
  struct vif_port* port;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int closing, full;       /* under the mutex: full, send has said so */
  unsigned first, waiting; /* of frames */
  size_t bytes[kFrames];
  uint8_t frames[kFrames][kFrameBytes];
};

/* Takes one frame after the other and delivers it, its two addresses exchanged. */
static void* answer(void* user) {
  struct wire* wire = user;
  uint8_t frame[kFrameBytes];
  pthread_mutex_lock(&wire->mutex);
  for (;;) {
    while (wire->waiting == 0 && !wire->closing) pthread_cond_wait(&wire->changed, &wire->mutex);
    if (wire->closing) break;
    struct iovec iov = {frame, wire->bytes[wire->first]};
    memcpy(frame, wire->frames[wire->first] + 6, 6);
    memcpy(frame + 6, wire->frames[wire->first], 6);
    memcpy(frame + 12, wire->frames[wire->first] + 12, iov.iov_len - 12);
    wire->first = (wire->first + 1) % kFrames;
    --wire->waiting;
    const int was_full = wire->full;
    wire->full = 0;
    pthread_mutex_unlock(&wire->mutex); /* no lock of ours is held while we call the library */
    vif_deliver(wire->port, &iov, 1);
    if (was_full) vif_ready(wire->port);
    pthread_mutex_lock(&wire->mutex);
  }
  pthread_mutex_unlock(&wire->mutex);
  return NULL;
}

static int wire_create(void* cookie, const char* argument, struct vif_port* port, struct vif_attributes* attributes,
                       void** user) {
  (void)cookie;
  if (*argument != '\0') return EINVAL;
  struct wire* wire = calloc(1, sizeof *wire);
  if (wire == NULL) return ENOMEM;
  wire->port = port;
  pthread_mutex_init(&wire->mutex, NULL);
  pthread_cond_init(&wire->changed, NULL);
  const int error = pthread_create(&wire->thread, NULL, answer, wire);
  if (error != 0) return free(wire), error;
  attributes->frame_bytes_max = kFrameBytes;
  *user = wire;
  return 0;
}

static void wire_destroy(void* user) {
  struct wire* wire = user;
  pthread_mutex_lock(&wire->mutex);
  wire->closing = 1;
  pthread_cond_signal(&wire->changed);
  pthread_mutex_unlock(&wire->mutex);
  pthread_join(wire->thread, NULL);
  free(wire);
}

static int wire_send(void* user, const struct iovec* iov, size_t iovcnt) {
  struct wire* wire = user;
  pthread_mutex_lock(&wire->mutex);
  wire->full = wire->waiting == kFrames;
  const int answer = wire->full ? EAGAIN : 0; /* it stays queued until vif_ready */
  if (answer == 0) {
    const unsigned at = (wire->first + wire->waiting++) % kFrames;
    wire->bytes[at] = 0;
    for (size_t i = 0; i < iovcnt; ++i) {
      memcpy(wire->frames[at] + wire->bytes[at], iov[i].iov_base, iov[i].iov_len);
      wire->bytes[at] += iov[i].iov_len;
    }
    pthread_cond_signal(&wire->changed);
  }
  pthread_mutex_unlock(&wire->mutex);
  return answer;
}

/* --- and who uses it: sends 100 frames, more than the wire holds, and waits for the answers --- */

static unsigned answers;
static void on_frame(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  (void)cookie, (void)ifp, (void)iov, (void)iovcnt, (void)flags;
  ++answers;
}

int main(void) {
  static const struct vif_backend_ops kOps = {.size = sizeof kOps,
                                              .revision = VIF_BACKEND_REVISION,
                                              .create = wire_create,
                                              .destroy = wire_destroy,
                                              .send = wire_send};
  static char linkstr[] = "loop:";
  struct virtif_error error = {.size = sizeof error};
  struct virtif* instance = NULL;
  struct virtif_if* ifp = NULL;
  struct virtif_ifdrv link = {.size = sizeof link, .ifd_len = sizeof linkstr, .ifd_data = linkstr};
  struct virtif_ifreq request = {.size = sizeof request};
  int failed = virtif_open(NULL, &instance, &error);
  if (!failed) failed = vif_backend_add(instance, "loop", &kOps, NULL, &error);
  if (!failed) failed = virtif_create(instance, "virt0", &ifp, &error);
  if (!failed) failed = virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &link, &error);
  if (!failed) failed = virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &request, &error);
  request.u.flags |= VIRTIF_IFF_UP;
  if (!failed) failed = virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &request, &error);
  if (failed) return fprintf(stderr, "%s\n", error.text), 1;
  virtif_set_input(ifp, on_frame, NULL, NULL);

  uint8_t frame[60] = {[0] = 2, [12] = 0x88, [13] = 0xb5}; /* the local experimental EtherType */
  virtif_ioctl(ifp, VIRTIF_SIOCGIFLLADDR, &request, NULL);
  memcpy(frame + 6, request.u.lladdr, 6);
  struct iovec iov = {frame, sizeof frame};
  for (int i = 0; i < 100; ++i) virtif_output(ifp, &iov, 1, NULL);
  while (answers < 100) {
    struct pollfd wait = {.fd = virtif_fd(instance), .events = POLLIN};
    poll(&wait, 1, -1);
    virtif_poll(instance, 0);
  }
  printf("100 frames answered\n");
  virtif_close(instance);
  return 0;
}
