// SPDX-License-Identifier: BSD-2-Clause
// A backend written in C behind the LinkPort contract: frames enter through an exchange, from any thread.
#include <array>
#include <atomic>

#include "hypercall/frame_buffer.hpp"
#include "hypercall/host/c_api.hpp"
#include "hypercall/link_options.hpp"

using namespace vif;

// What a C backend holds: the way in. Lives as long as its link.
struct vif_port {
  explicit vif_port(ClockPort& clock_in) : clock(clock_in) {}

  ClockPort& clock;
  host::FrameExchange exchange;
  std::atomic<net::LinkState> carrier{net::LinkState::up};
};

namespace vif::host {
namespace {

constexpr std::uint32_t kFrameBytesMin = 64;  // below it no Ethernet frame fits
constexpr std::uint32_t kPadBytesMax = 60;    // IEEE 802.3: the shortest frame, without FCS

// What a backend answered, as an Error; an errno is positive.
Error backend_error(int number, const std::string& what) {
  if (number < 0) {
    return fail(EIO, what + ": the backend answered " + std::to_string(number) + ": expected 0 or a positive errno");
  }
  return fail(number, what + ": " + std::generic_category().message(number));
}

class CLink final : public drv::LinkPort, public drv::LinkDying {
 public:
  CLink(const vif_backend_ops& ops, ClockPort& clock) : ops_(ops), port_(clock) {}
  ~CLink() override {
    if (open_) ops_.destroy(user_);
  }

  // Calls create; the caps are what it left in the attributes.
  Result<drv::LinkCaps> open(void* cookie, const drv::Linkstr& linkstr, const drv::LinkOwner& owner) {
    vif_attributes attributes{.size = sizeof attributes,
                              .lladdr = {},
                              .slices_max = 1,
                              .frame_bytes_max = 65'550,
                              .frame_bytes_min = 0,
                              .reflects = 0,
                              .baudrate = 0};
    std::copy(owner.lladdr.octets.begin(), owner.lladdr.octets.end(), attributes.lladdr);
    const int number = ops_.create(cookie, linkstr.argument.c_str(), &port_, &attributes, &user_);
    if (number != 0) return backend_error(number, linkstr.format() + ": the backend refuses");
    open_ = true;
    net::MacAddress lladdr;
    std::copy_n(attributes.lladdr, net::kMacBytes, lladdr.octets.begin());
    const bool sane = attributes.slices_max >= 1 && attributes.frame_bytes_max >= kFrameBytesMin &&
                      attributes.frame_bytes_max <= net::kFrameBytesMax && attributes.frame_bytes_min <= kPadBytesMax &&
                      !lladdr.is_group();
    if (!sane) {
      return fail(EINVAL, linkstr.scheme +
                              ": the backend's attributes are out of range: expected slices_max >= 1, "
                              "frame_bytes_max 64 to 262144, frame_bytes_min <= 60, a unicast address");
    }
    told_ = port_.carrier.load();
    return drv::LinkCaps{.frame_bytes_max = attributes.frame_bytes_max,
                         .frame_bytes_min = attributes.frame_bytes_min,
                         .slices_max = attributes.slices_max,
                         .reflects = attributes.reflects != 0,
                         .lladdr = lladdr,
                         .link_state = told_,
                         .baudrate = attributes.baudrate};
  }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    port_.exchange.open(sink);
    return {};
  }

  void stop() override { port_.exchange.close(); }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    for (std::size_t taken = 0; taken < frames.size(); ++taken) {
      switch (send_one(frames[taken])) {
        case 0:
          break;
        case EAGAIN:
          return {taken, drv::SendStatus::would_block};
        case EMSGSIZE:
          return {taken, drv::SendStatus::message_size};
        default:
          return {taken, drv::SendStatus::network_down};
      }
    }
    return {frames.size(), drv::SendStatus::ok};
  }

  bool drain(std::size_t budget) override {
    if (const net::LinkState carrier = port_.carrier.load(); carrier != told_) {
      told_ = carrier;
      sink_->link_changed(carrier, nullptr);
    }
    return port_.exchange.drain(budget, *sink_);
  }

  void set_receive_filter(const drv::ReceiveFilter&) override {}

  Status dying() override {
    const int number = ops_.dying == nullptr ? 0 : ops_.dying(user_);
    if (number != 0) return backend_error(number, "the backend refuses to go");
    return {};
  }

 private:
  static constexpr std::size_t kSlices = drv::Virtif::kBurstSlices;  // the driver offers no more

  int send_one(const drv::TxFrame& frame) {
    std::array<iovec, kSlices> iov;
    for (std::size_t i = 0; i < frame.slices.size(); ++i) {
      iov[i] = {const_cast<std::byte*>(frame.slices[i].data()), frame.slices[i].size()};
    }
    return ops_.send(user_, iov.data(), frame.slices.size());
  }

  const vif_backend_ops& ops_;
  vif_port port_;
  void* user_ = nullptr;
  bool open_ = false;
  drv::LinkSink* sink_ = nullptr;
  net::LinkState told_ = net::LinkState::up;
};

Result<drv::OpenLink> open_c_link(const vif_backend_ops& ops, void* cookie, ClockPort& clock,
                                  const drv::Linkstr& linkstr, const drv::LinkOwner& owner) {
  if (Status ok = only_options(linkstr, {}); !ok) return std::move(ok).error();
  auto link = std::make_unique<CLink>(ops, clock);
  Result<drv::LinkCaps> caps = link->open(cookie, linkstr, owner);
  if (!caps) return std::move(caps).error();
  drv::LinkDying* const dying = link.get();
  return drv::OpenLink{std::move(link), *caps, dying};
}

}  // namespace
}  // namespace vif::host

extern "C" {

int vif_backend_add(virtif* instance, const char* scheme, const vif_backend_ops* ops, void* cookie,
                    virtif_error* error) {
  using vif::host::report;
  return host::on_domain(*instance, error, [&] {
    if (scheme == nullptr || ops == nullptr) return report(error, EFAULT, "vif_backend_add needs a scheme and its ops");
    const bool whole = ops->size == sizeof *ops && ops->revision == VIF_BACKEND_REVISION;
    if (!whole || ops->create == nullptr || ops->destroy == nullptr || ops->send == nullptr) {
      return report(error, EINVAL,
                    "vif_backend_ops: expected size = sizeof, revision = VIF_BACKEND_REVISION, and create, destroy and "
                    "send");
    }
    return report(error, instance->kernel->schemes().add(
                             scheme, [=, &clock = instance->clock](const drv::Linkstr& l, const drv::LinkOwner& owner) {
                               return host::open_c_link(*ops, cookie, clock, l, owner);
                             }));
  });
}

int vif_deliver(vif_port* port, const iovec* iov, size_t iovcnt) {
  return host::guarded(nullptr, [&] {
    constexpr std::size_t kPiecesMax = 64;
    if (iov == nullptr || iovcnt > kPiecesMax) return EINVAL;
    std::array<Bytes, kPiecesMax> pieces;
    std::size_t count = 0, bytes = 0;
    for (const iovec& piece : std::span(iov, iovcnt)) {
      if (piece.iov_len > net::kFrameBytesMax - bytes) return EINVAL;
      if (piece.iov_len == 0) continue;
      pieces[count++] = {static_cast<const std::byte*>(piece.iov_base), piece.iov_len};
      bytes += piece.iov_len;
    }
    if (bytes == 0) return EINVAL;
    const drv::TxFrame frame{std::span(pieces).first(count), static_cast<std::uint32_t>(bytes), {}};
    const auto copied = port->exchange.push({&frame, 1}, port->clock.wall_ns());
    if (!copied) return ENETDOWN;
    return *copied == 1 ? 0 : ENOBUFS;
  });
}

void vif_ready(vif_port* port) { port->exchange.wake(); }

void vif_carrier(vif_port* port, int up) {
  port->carrier.store(up != 0 ? net::LinkState::up : net::LinkState::down);
  port->exchange.wake();
}

}  // extern "C"
