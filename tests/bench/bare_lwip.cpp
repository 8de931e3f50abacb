// SPDX-License-Identifier: BSD-2-Clause
// What lwip_bench holds ours against: lwIP on a TAP by one read(2) or write(2) a frame and nothing else of ours, with
// discard on port 9 and chargen on 19. Never lwIP's own tapif, whose PBUF_POOL overflows (docs/lwip.md).
// usage: bare_lwip TAP ADDRESS: says "ready", and ends with its standard input. One thread.
extern "C" {
#include <lwip/opt.h>
}

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kFrameBytesMax = 1514;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_tap(const char* name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) != 0) give_up("TUNSETIFF");
  return fd;
}

err_t output(netif* n, pbuf* p) {
  std::array<std::byte, kFrameBytesMax> frame;
  const int fd = *static_cast<int*>(n->state);
  if (p->next != nullptr) pbuf_copy_partial(p, frame.data(), p->tot_len, 0);
  return ::write(fd, p->next == nullptr ? p->payload : frame.data(), p->tot_len) > 0 ? ERR_OK : ERR_IF;
}

err_t set_up(netif* n) {
  n->name[0] = 'b';
  n->name[1] = 'a';
  constexpr std::array<u8_t, 6> kAddress = {0x02, 0, 0x5e, 0x10, 0, 9};
  std::copy(kAddress.begin(), kAddress.end(), n->hwaddr);
  n->hwaddr_len = kAddress.size();
  n->mtu = 1500;
  n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  n->output = etharp_output;
  n->linkoutput = output;
  return ERR_OK;
}

err_t discard(void*, tcp_pcb* pcb, pbuf* p, err_t) {
  if (p == nullptr) return tcp_close(pcb);
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

err_t chargen(void*, tcp_pcb* pcb, u16_t) {
  static const std::array<std::byte, 65'535> text{};
  while (tcp_sndbuf(pcb) > 0 && tcp_sndqueuelen(pcb) < TCP_SND_QUEUELEN) {
    if (tcp_write(pcb, text.data(), tcp_sndbuf(pcb), TCP_WRITE_FLAG_COPY) != ERR_OK) break;
  }
  return tcp_output(pcb);
}

void listen(u16_t port, tcp_accept_fn accepted) {
  tcp_pcb* const pcb = tcp_new();
  tcp_bind(pcb, IP_ADDR_ANY, port);
  tcp_accept(tcp_listen(pcb), accepted);
}

void read_all(int fd, netif& n) {
  std::array<std::byte, kFrameBytesMax> frame;
  for (int frames = 0; frames < 64; ++frames) {
    const ssize_t bytes = ::read(fd, frame.data(), frame.size());
    if (bytes <= 0) return;
    pbuf* const p = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(bytes), PBUF_RAM);
    if (p == nullptr) give_up("pbuf_alloc");
    std::memcpy(p->payload, frame.data(), static_cast<std::size_t>(bytes));
    if (n.input(p, &n) != ERR_OK) pbuf_free(p);
  }
}

}  // namespace

int main(int argc, char** argv) {
  ip4_addr_t address, mask, router{};
  if (argc != 3 || ip4addr_aton(argv[2], &address) == 0) return std::fputs("usage: bare_lwip TAP ADDRESS\n", stderr), 2;
  IP4_ADDR(&mask, 255, 255, 255, 0);
  int fd = open_tap(argv[1]);
  lwip_init();
  netif n{};
  netif_add(&n, &address, &mask, &router, &fd, set_up, ethernet_input);
  netif_set_default(&n);
  netif_set_up(&n);
  listen(9, [](void*, tcp_pcb* pcb, err_t) { return tcp_recv(pcb, discard), err_t{ERR_OK}; });
  listen(19, [](void*, tcp_pcb* pcb, err_t) {
    tcp_recv(pcb, discard);
    tcp_sent(pcb, chargen);
    return chargen(nullptr, pcb, 0);
  });
  std::puts("ready");
  std::fflush(stdout);
  std::array<pollfd, 2> waits = {pollfd{fd, POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
  while (waits[1].revents == 0) {
    ::poll(waits.data(), waits.size(), static_cast<int>(std::min<u32_t>(sys_timeouts_sleeptime(), 1000)));
    read_all(fd, n);
    sys_check_timeouts();
  }
  return 0;
}
