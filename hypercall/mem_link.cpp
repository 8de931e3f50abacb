// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/mem_link.hpp"

#include <vector>

#include "hypercall/fitting.hpp"
#include "hypercall/frame_buffer.hpp"
#include "hypercall/link_options.hpp"
#include "netstack/mbuf_pool.hpp"

namespace vif::host {

// The cable. Its mutex guards who is on it, and is held while a burst is copied round: a port that leave() has taken
// off gets nothing more.
class MemSegment {
 public:
  void join(FrameExchange& port) {
    const std::lock_guard lock(mutex_);
    ports_.push_back(&port);
  }
  void leave(FrameExchange& port) {
    const std::lock_guard lock(mutex_);
    std::erase(ports_, &port);
  }
  void send(std::span<const drv::TxFrame> frames, const FrameExchange& sender, std::int64_t timestamp_ns) {
    const std::lock_guard lock(mutex_);
    for (FrameExchange* const port : ports_) {
      if (port != &sender) port->push(frames, timestamp_ns);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<FrameExchange*> ports_;
};

namespace {

class MemLink final : public drv::LinkPort {
 public:
  MemLink(std::shared_ptr<MemSegment> segment, ClockPort& clock) : segment_(std::move(segment)), clock_(clock) {}

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    exchange_.open(sink);
    segment_->join(exchange_);
    return {};
  }

  void stop() override {
    segment_->leave(exchange_);
    exchange_.close();
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const drv::SendResult result = fitting(frames, kFrameBytesMax);
    segment_->send(frames.first(result.taken), exchange_, clock_.wall_ns());
    return result;
  }

  bool drain(std::size_t budget) override { return exchange_.drain(budget, *sink_); }

  // Judging twice would cost more than it saves: the driver sees every frame.
  void set_receive_filter(const drv::ReceiveFilter&) override {}

  static constexpr std::uint32_t kFrameBytesMax = net::kFrameBytesMax;

 private:
  std::shared_ptr<MemSegment> segment_;
  ClockPort& clock_;
  FrameExchange exchange_;
  drv::LinkSink* sink_ = nullptr;
};

}  // namespace

Result<drv::OpenLink> MemSegments::open(const drv::Linkstr& linkstr, const drv::LinkOwner&) {
  if (Status ok = needs_argument(linkstr, "a segment's name"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {}); !ok) return std::move(ok).error();
  std::shared_ptr<MemSegment> segment;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(segments_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<MemSegment>& named = segments_[linkstr.argument];
    segment = named.lock();
    if (!segment) named = segment = std::make_shared<MemSegment>();
  }
  const drv::LinkCaps caps{
      .frame_bytes_max = MemLink::kFrameBytesMax, .slices_max = UINT16_MAX, .offload = true, .baudrate = 0};
  return drv::OpenLink{std::make_unique<MemLink>(std::move(segment), clock_), caps};
}

}  // namespace vif::host
