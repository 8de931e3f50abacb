/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface inside a bare poll(2) loop that has other things to do: here, to read standard input. Each line typed
 * goes out as a broadcast, and what comes in is printed; ends with the input. No thread, and no loop but this one.
 * Build: cc own_loop.c $(pkg-config --cflags --libs virtif); run: ./a.out stream:/tmp/wire.sock,listen */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <virtif.h>

static struct virtif_error error = {.size = sizeof error};
static const uint8_t kType[2] = {0x88, 0xb5}; /* the local experimental EtherType */

static int give_up(void) { return fprintf(stderr, "%s\n", error.text), 1; }

static void print(void* cookie, struct virtif_if* ifp, const struct iovec* iov, size_t iovcnt, unsigned flags) {
  const uint8_t* frame = iov->iov_base;
  (void)cookie, (void)iovcnt, (void)flags;
  if (memcmp(frame + 12, kType, 2) != 0) return;
  printf("%s: %.*s\n", virtif_name(ifp), (int)(iov->iov_len - 14), (const char*)frame + 14);
  fflush(stdout);
}

/* A line from standard input as a frame. 0: there are no more. */
static int send_line(struct virtif_if* ifp) {
  uint8_t frame[1514];
  struct virtif_ifreq own = {.size = sizeof own};
  const ssize_t bytes = read(STDIN_FILENO, frame + 14, sizeof frame - 14);
  if (bytes <= 0) return 0;
  memset(frame, 0xff, 6);
  virtif_ioctl(ifp, VIRTIF_SIOCGIFLLADDR, &own, NULL);
  memcpy(frame + 6, own.u.lladdr, 6);
  memcpy(frame + 12, kType, 2);
  struct iovec iov = {frame, 14 + (size_t)bytes - (frame[13 + bytes] == '\n')};
  if (virtif_output(ifp, &iov, 1, &error) != 0) fprintf(stderr, "%s\n", error.text);
  return 1;
}

/* How long poll(2) may wait: until virtif's next timer, rounded up so that it is due then. */
static int timeout_ms(const struct virtif* instance) {
  const int64_t ns = virtif_timeout_ns(instance);
  return ns < 0 ? -1 : ns > 60000000000 ? 60000 : (int)((ns + 999999) / 1000000);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: %s LINKSTR\n", argv[0]), 2;
  struct virtif* instance = NULL;
  struct virtif_if* ifp = NULL;
  struct virtif_ifdrv link = {.size = sizeof link, .ifd_len = strlen(argv[1]) + 1, .ifd_data = argv[1]};
  struct virtif_ifreq flags = {.size = sizeof flags};
  if (virtif_open(NULL, &instance, &error) != 0) return give_up();
  if (virtif_create(instance, "virt0", &ifp, &error) != 0) return give_up();
  if (virtif_ioctl(ifp, VIRTIF_SIOCSLINKSTR, &link, &error) != 0) return give_up();
  virtif_set_input(ifp, print, NULL, NULL);
  virtif_ioctl(ifp, VIRTIF_SIOCGIFFLAGS, &flags, NULL);
  flags.u.flags |= VIRTIF_IFF_UP;
  if (virtif_ioctl(ifp, VIRTIF_SIOCSIFFLAGS, &flags, &error) != 0) return give_up();

  struct pollfd waits[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = virtif_fd(instance), .events = POLLIN}};
  for (int open = 1; open;) {
    poll(waits, 2, timeout_ms(instance));
    if (waits[0].revents != 0) open = send_line(ifp);
    virtif_poll(instance, 0); /* also when only time has passed */
  }
  virtif_close(instance);
  return 0;
}
