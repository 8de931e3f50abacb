/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest embedding in C: two interfaces on one segment in memory; one sends, the other answers every frame.
 * Build: cc echo.c $(pkg-config --cflags --libs virtif) */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <virtif.h>

static struct virtif_error error = {.size = sizeof error};

/* Sends the frame back where it came from. */
static void answer(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  uint8_t frame[2048];
  (void)cookie, (void)flags;
  if (iovcnt != 1 || iov->iov_len > sizeof frame) return;
  memcpy(frame, iov->iov_base, iov->iov_len);
  memcpy(frame, (uint8_t*)iov->iov_base + 6, 6);
  memcpy(frame + 6, iov->iov_base, 6);
  struct iovec out = {frame, iov->iov_len};
  virtif_output(ifp, &out, 1, NULL);
}

static void print(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  (void)iovcnt, (void)flags;
  printf("%s received: %s\n", virtif_name(ifp), (const char*)iov->iov_base + 14);
  *(int*)cookie = 1;
}

/* Makes an interface, links it and brings it up. */
static struct virtif_if* interface(struct virtif* instance, const char* linkstr) {
  struct virtif_if* ifp = NULL;
  struct virtif_ifdrv link = {.size = sizeof link, .ifd_len = strlen(linkstr) + 1, .ifd_data = (void*)linkstr};
  struct virtif_ifreq flags = {.size = sizeof flags};
  if (virtif_create(instance, "virt", &ifp, &error) == 0 &&
      virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &link, &error) == 0 &&
      virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &flags, &error) == 0) {
    flags.u.flags |= VIRTIF_IFF_UP;
    if (virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &flags, &error) == 0) return ifp;
  }
  fprintf(stderr, "%s\n", error.text);
  return NULL;
}

int main(void) {
  struct virtif* instance = NULL;
  if (virtif_open(NULL, &instance, &error) != 0) return fprintf(stderr, "%s\n", error.text), 1;
  struct virtif_if* client = interface(instance, "mem:lan0");
  struct virtif_if* server = interface(instance, "mem:lan0");
  if (client == NULL || server == NULL) return 1;
  int done = 0;
  virtif_set_input(client, print, &done, NULL);
  virtif_set_input(server, answer, NULL, NULL);

  struct virtif_ifreq mac = {.size = sizeof mac};
  uint8_t frame[60] = {[12] = 0x88, [13] = 0xb5}; /* the local experimental EtherType */
  virtif_ioctl(server, VIRTIF_SIOCGIFLLADDR, &mac, NULL);
  memcpy(frame, mac.u.lladdr, 6);
  virtif_ioctl(client, VIRTIF_SIOCGIFLLADDR, &mac, NULL);
  memcpy(frame + 6, mac.u.lladdr, 6);
  strcpy((char*)frame + 14, "hello from the other side");
  struct iovec iov = {frame, sizeof frame};
  virtif_output(client, &iov, 1, &error);

  /* Your own event loop goes here. */
  while (!done) {
    struct pollfd wait = {.fd = virtif_fd(instance), .events = POLLIN};
    poll(&wait, 1, -1);
    virtif_poll(instance, 0);
  }
  virtif_close(instance);
  return 0;
}
