// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/null_link.hpp"

#include <array>
#include <vector>

#include "hypercall/fitting.hpp"
#include "hypercall/link_options.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/mbuf_pool.hpp"

namespace vif::host {
namespace {

constexpr std::uint16_t kTestType = 0x88b5;  // IEEE 802, local experimental EtherType 1

class NullLink final : public drv::LinkPort {
 public:
  NullLink(std::uint64_t rx_frames, std::size_t frame_bytes) : left_(rx_frames), frame_(frame_bytes) {
    net::EtherHeader{{}, {{0x02, 0, 0, 0, 0, 0x01}}, kTestType}.store(frame_.data());
    burst_.fill({.bytes = frame_});
  }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    return {};
  }
  void stop() override { sink_ = nullptr; }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override { return fitting(frames, net::kFrameBytesMax); }

  bool drain(std::size_t budget) override {
    while (budget > 0 && left_ > 0) {
      const std::size_t n = std::min<std::uint64_t>(std::min(budget, burst_.size()), left_);
      left_ -= n;
      budget -= n;
      sink_->deliver(std::span(burst_).first(n));
    }
    return left_ > 0;
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override { filter.lladdr.store(frame_.data()); }

 private:
  std::uint64_t left_;
  std::vector<std::byte> frame_;
  std::array<drv::RxFrame, 32> burst_;
  drv::LinkSink* sink_ = nullptr;
};

}  // namespace

Result<NullOptions> NullOptions::parse(const drv::Linkstr& linkstr) {
  if (!linkstr.argument.empty())
    return fail(std::errc::invalid_argument, "null: takes no argument, only rx= and bytes=");
  if (Status ok = only_options(linkstr, {"rx", "bytes"}); !ok) return std::move(ok).error();
  const auto rx = number_option(linkstr, "rx", 0, {0, UINT64_MAX});
  if (!rx) return rx.error();
  const auto bytes = number_option(linkstr, "bytes", 64, {net::kEtherHeaderBytes, net::kFrameBytesMax});
  if (!bytes) return bytes.error();
  return NullOptions{*rx, static_cast<std::size_t>(*bytes)};
}

Result<drv::OpenLink> open_null_link(const drv::Linkstr& linkstr, const drv::LinkOwner&) {
  const Result<NullOptions> options = NullOptions::parse(linkstr);
  if (!options) return options.error();
  const drv::LinkCaps caps{
      .frame_bytes_max = net::kFrameBytesMax, .slices_max = UINT16_MAX, .offload = net::OffloadSet::all()};
  return drv::OpenLink{std::make_unique<NullLink>(options->rx_frames, options->frame_bytes), caps};
}

}  // namespace vif::host
