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
  explicit MemSegment(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  std::size_t opened = 0;  // ports, started or not; under the MemSegments' mutex

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
  const std::string name_;
  std::mutex mutex_;
  std::vector<FrameExchange*> ports_;
};

class MemLink final : public drv::LinkPort {
 public:
  MemLink(MemSegments& segments, MemSegment& segment) : segments_(segments), segment_(segment) {}
  ~MemLink() override { segments_.close(segment_); }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    exchange_.open(sink);
    segment_.join(exchange_);
    return {};
  }

  void stop() override {
    segment_.leave(exchange_);
    exchange_.close();
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const drv::SendResult result = fitting(frames, kFrameBytesMax);
    segment_.send(frames.first(result.taken), exchange_, segments_.clock_.wall_ns());
    return result;
  }

  bool drain(std::size_t budget) override { return exchange_.drain(budget, *sink_); }

  // Judging twice would cost more than it saves: the driver sees every frame.
  void set_receive_filter(const drv::ReceiveFilter&) override {}

  static constexpr std::uint32_t kFrameBytesMax = net::kFrameBytesMax;

 private:
  MemSegments& segments_;
  MemSegment& segment_;
  FrameExchange exchange_;
  drv::LinkSink* sink_ = nullptr;
};

MemSegments::MemSegments(ClockPort& clock) : clock_(clock) {}
MemSegments::~MemSegments() = default;

Status MemSegments::check(const drv::Linkstr& linkstr) {
  if (Status ok = needs_argument(linkstr, "a segment's name"); !ok) return ok;
  return only_options(linkstr, {});
}

Result<drv::OpenLink> MemSegments::open(const drv::Linkstr& linkstr, const drv::LinkOwner&) {
  if (Status ok = check(linkstr); !ok) return std::move(ok).error();
  const std::lock_guard lock(mutex_);
  std::unique_ptr<MemSegment>& segment = segments_[linkstr.argument];
  if (!segment) segment = std::make_unique<MemSegment>(linkstr.argument);
  ++segment->opened;
  const drv::LinkCaps caps{.frame_bytes_max = MemLink::kFrameBytesMax,
                           .slices_max = UINT16_MAX,
                           .offload = net::OffloadSet::all(),
                           .baudrate = 0};
  return drv::OpenLink{std::make_unique<MemLink>(*this, *segment), caps};
}

void MemSegments::close(MemSegment& segment) {
  const std::lock_guard lock(mutex_);
  if (--segment.opened == 0) segments_.erase(std::string(segment.name()));
}

}  // namespace vif::host
