// SPDX-License-Identifier: BSD-2-Clause
// Any sequence of ioctls with any contents: errors or effects, never a crash, and an error never changes the interface.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "hypercall/host/virtif.h"

namespace {

// What an interface is, as far as ioctls show it; an error must leave it alone.
struct Shown {
  std::uint32_t flags, mtu, link_state;
  std::array<std::uint8_t, 6> lladdr;
  std::string linkstr;
  friend bool operator==(const Shown&, const Shown&) = default;
};

void must(bool holds) {
  if (!holds) std::abort();
}

virtif_ifreq get(virtif_if* ifp, unsigned long command) {
  virtif_ifreq request{};
  request.size = sizeof request;
  must(virtif_ioctl(ifp, command, &request, nullptr) == 0);
  return request;
}

Shown show(virtif_if* ifp) {
  Shown shown{get(ifp, VIRTIF_SIOCGIFFLAGS).u.flags,
              get(ifp, VIRTIF_SIOCGIFMTU).u.mtu,
              get(ifp, VIRTIF_SIOCGIFLINK).u.link_state,
              {},
              {}};
  const virtif_ifreq mac = get(ifp, VIRTIF_SIOCGIFLLADDR);
  std::copy_n(mac.u.lladdr, 6, shown.lladdr.begin());
  std::array<char, 5000> text{};
  virtif_ifdrv linkstr{sizeof linkstr, 0, text.size(), text.data()};
  if (virtif_ioctl(ifp, VIRTIF_SIOCGLINKSTR, &linkstr, nullptr) == 0) shown.linkstr = text.data();
  return shown;
}

// Takes the next bytes, as many as there are, into a struct whose size is right more often than not.
template <class Struct>
Struct take(const std::uint8_t*& data, std::size_t& left) {
  Struct value{};
  const std::size_t bytes = std::min(sizeof value, left);
  std::memcpy(&value, data, bytes);
  data += bytes;
  left -= bytes;
  if (value.size % 4 != 1) value.size = sizeof value;
  return value;
}

int linkstr_ioctl(virtif_if* ifp, unsigned long command, const std::uint8_t*& data, std::size_t& left) {
  auto request = take<virtif_ifdrv>(data, left);
  request.ifd_cmd %= 4;
  std::vector<char> text(request.ifd_len % 5000);
  const std::size_t bytes = std::min(text.size(), left);
  std::copy_n(data, bytes, text.begin());
  data += bytes;
  left -= bytes;
  // pcap: reads and writes the host's files: not with names from here.
  if (text.size() >= 4 && std::memcmp(text.data(), "pcap", 4) == 0) text[0] = 'x';
  request.ifd_len = text.size();
  request.ifd_data = text.empty() ? nullptr : text.data();
  return virtif_ioctl(ifp, command, &request, nullptr);
}

virtif* open_instance() {
  virtif* instance = nullptr;
  const virtif_config config{sizeof config, 0, 4, 16};
  must(virtif_open(&config, &instance, nullptr) == 0);
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t left) {
  static virtif* const instance = open_instance();
  virtif_if* ifp = nullptr;
  must(virtif_create(instance, "virt0", &ifp, nullptr) == 0);
  while (left > 0) {
    const unsigned long command = *data++ % 20;
    --left;
    const Shown before = show(ifp);
    int error = 0;
    if (command == VIRTIF_SIOCGLINKSTR || command == VIRTIF_SIOCSLINKSTR) {
      error = linkstr_ioctl(ifp, command, data, left);
    } else if (command == VIRTIF_SIOCGIFDATA || command == VIRTIF_SIOCZIFDATA) {
      auto request = take<virtif_ifdatareq>(data, left);
      error = virtif_ioctl(ifp, command, &request, nullptr);
    } else {
      auto request = take<virtif_ifreq>(data, left);
      error = virtif_ioctl(ifp, command, &request, nullptr);
    }
    if (error != 0) must(show(ifp) == before);
    virtif_poll(instance, 8);
  }
  must(virtif_destroy(ifp, nullptr) == 0);
  return 0;
}
