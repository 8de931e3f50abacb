// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_device.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "hypercall/host_error.hpp"
#include "hypercall/vnet_header.hpp"

namespace vif::host {
namespace {

constexpr const char* kPath = "/dev/net/tun";

// Of linux/if_tun.h since 6.2 and 6.0, which older headers lack.
constexpr unsigned kTunUso4 = 0x20, kTunUso6 = 0x40;
constexpr unsigned kIffNoCarrier = 0x0040;

Error cannot_open() {
  Error error = host_error(std::string("cannot open ") + kPath);
  switch (error.number()) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      error.text += "; load the module (modprobe tun), or give the container the device (--device /dev/net/tun)";
      break;
    case EACCES:
    case EPERM:
      error.text += "; whoever uses TAPs must be allowed to read and write it: have root do chmod 0666 /dev/net/tun";
      break;
    default:
      break;
  }
  return error;
}

Error cannot_attach(const std::string& name) {
  const std::string tap = name.empty() ? "a TAP" : "TAP " + name;
  Error error = host_error("cannot make or attach " + tap);
  switch (error.number()) {
    case EPERM:
      error.text +=
          "; this needs CAP_NET_ADMIN in this network namespace (virtifd --user keeps it with --keep-net-admin). "
          "Without it, work in a namespace of your own "
          "(unshare -Ur -n), or have root make the TAP yours (ip tuntap add dev NAME mode tap user YOU)";
      break;
    case EBUSY:
      error.text += "; another program uses it: stop that one, or take another name";
      break;
    case EINVAL:
      error.text += ::if_nametoindex(name.c_str()) != 0 ? "; there is an interface of this name that is no TAP: take "
                                                          "another name"
                                                        : "; expected an interface's name";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

Result<UniqueFd> TapDevice::open_tun() {
  UniqueFd fd(::open(kPath, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return cannot_open();
  return fd;
}

Result<std::unique_ptr<TapDevice>> TapDevice::open(const TapWanted& wanted, UniqueFd tun) {
  std::unique_ptr<TapDevice> tap(new TapDevice(std::move(tun)));
  if (::ioctl(tap->fd(), TUNGETFEATURES, &tap->features_) != 0) tap->features_ = 0;

  // Asked before there is an interface, so that it cannot read anything.
  std::byte nothing{};
  const iovec into{&nothing, sizeof nothing};
  tap->nowait_ = ::preadv2(tap->fd(), &into, 1, -1, RWF_NOWAIT) < 0 && errno == EBADFD;

  if (Status ok = tap->attach(wanted); !ok) return std::move(ok).error();
  if (Status ok = tap->set_header(); !ok) return std::move(ok).error();
  tap->set_offload();
  tap->probe_controls();
  if (wanted.persist) {
    if (::ioctl(tap->fd(), TUNSETPERSIST, 1UL) != 0) return host_error("cannot make TAP " + tap->name_ + " persistent");
    tap->stays_ = true;
  }
  return tap;
}

TapDevice::~TapDevice() {
  if (!stays_) return;
  set_filter({.lladdr = {}, .promisc = true});
  ::ioctl(fd(), TUNSETOFFLOAD, 0UL);
}

Status TapDevice::attach(const TapWanted& wanted) {
  ifreq request{};
  wanted.name.copy(request.ifr_name, IFNAMSIZ - 1);
  const bool header = wanted.offload && (features_ & IFF_VNET_HDR) != 0;
  const unsigned flags = IFF_TAP | IFF_NO_PI | (header ? IFF_VNET_HDR : 0) | (features_ & kIffNoCarrier);
  request.ifr_flags = static_cast<short>(flags);
  int done = ::ioctl(fd(), TUNSETIFF, &request);
  if (done != 0 && errno == EINVAL && (features_ & IFF_MULTI_QUEUE) != 0) {
    // One made for several queues wants to hear so. We are one of them.
    request.ifr_flags = static_cast<short>(flags | IFF_MULTI_QUEUE);
    done = ::ioctl(fd(), TUNSETIFF, &request);
  }
  if (done != 0) return cannot_attach(wanted.name);
  name_.assign(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
  if (header) header_bytes_ = kVnetHeaderBytes;
  // One that does not persist goes with its last user, so it was not there unless it has several.
  ifreq attached{};
  const unsigned now = ::ioctl(fd(), TUNGETIFF, &attached) == 0 ? static_cast<unsigned>(attached.ifr_flags) : 0;
  was_there_ = stays_ = (now & (IFF_PERSIST | IFF_MULTI_QUEUE)) != 0;
  return {};
}

// Somebody before us may have chosen another length.
Status TapDevice::set_header() {
  if (header_bytes_ == 0) return {};
  const int bytes = static_cast<int>(header_bytes_);
  if (::ioctl(fd(), TUNSETVNETHDRSZ, &bytes) != 0) {
    return host_error("cannot set the length of TAP " + name_ + "'s virtio_net_hdr");
  }
  return {};
}

// From the best downwards; the kernel refuses a set with a bit it does not know.
void TapDevice::set_offload() {
  constexpr unsigned kTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  constexpr struct {
    unsigned flags;
    net::OffloadSet set;
  } kSets[] = {
      {kTcp | kTunUso4 | kTunUso6, {.csum = true, .tso4 = true, .tso6 = true, .uso = true}},
      {kTcp, {.csum = true, .tso4 = true, .tso6 = true}},
      {TUN_F_CSUM, {.csum = true}},
  };
  if (header_bytes_ != 0) {
    for (const auto& [flags, set] : kSets) {
      if (::ioctl(fd(), TUNSETOFFLOAD, static_cast<unsigned long>(flags)) != 0) continue;
      offload_ = set;
      return;
    }
  }
  ::ioctl(fd(), TUNSETOFFLOAD, 0UL);  // whatever somebody before us left
}

void TapDevice::probe_controls() {
  const int off = 0;
  has_carrier_control_ = ::ioctl(fd(), TUNSETCARRIER, &off) == 0;
  const tun_filter none{};
  has_filter_ = ::ioctl(fd(), TUNSETTXFILTER, &none) >= 0;
}

bool TapDevice::exists() const {
  ifreq request{};
  return ::ioctl(fd(), TUNGETIFF, &request) == 0;
}

void TapDevice::set_carrier(bool on) {
  const int carrier = on ? 1 : 0;
  if (has_carrier_control_) ::ioctl(fd(), TUNSETCARRIER, &carrier);
}

// The kernel compares the first eight exactly and hashes the rest, which have to be groups. No address: no filter.
void TapDevice::set_filter(const drv::ReceiveFilter& filter) {
  if (!has_filter_) return;
  std::vector<net::MacAddress> wanted = {filter.lladdr, net::kBroadcast};
  bool all_groups = filter.allmulti;
  for (const net::MacRange& group : filter.groups) {
    all_groups |= !group.is_single();
    wanted.push_back(group.lo);
  }
  all_groups |= wanted.size() > UINT16_MAX;  // tun_filter::count is 16 bits wide
  if (all_groups) wanted.resize(2);
  if (filter.promisc) wanted.clear();

  std::vector<std::byte> request(sizeof(tun_filter) + wanted.size() * net::kMacBytes);
  tun_filter head{};
  head.flags = all_groups ? TUN_FLT_ALLMULTI : 0;
  head.count = static_cast<std::uint16_t>(wanted.size());
  std::memcpy(request.data(), &head, sizeof head);
  std::byte* at = request.data() + sizeof head;
  for (const net::MacAddress& address : wanted) {
    address.store(at);
    at += net::kMacBytes;
  }
  if (::ioctl(fd(), TUNSETTXFILTER, request.data()) >= 0) return;
  // The filter before this one could stop what is wanted now.
  const tun_filter none{};
  ::ioctl(fd(), TUNSETTXFILTER, &none);
}

}  // namespace vif::host
