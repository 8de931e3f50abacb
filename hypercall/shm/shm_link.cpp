// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/shm_link.hpp"

#include <algorithm>
#include <vector>

#include "hypercall/fitting.hpp"
#include "hypercall/link_options.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/shm/attachment.hpp"
#include "hypercall/shm/ring_reader.hpp"
#include "hypercall/shm/ring_writer.hpp"

namespace vif::host {
namespace {

using namespace shm;

class ShmLink final : public drv::LinkPort {
 public:
  ShmLink(std::unique_ptr<Attachment> attachment, FdWatch& watch, ClockPort& clock)
      : attachment_(std::move(attachment)),
        segment_(attachment_->segment()),
        watch_(watch),
        clock_(clock),
        writer_(segment_.progress[attachment_->place()], segment_.rings[attachment_->place()]) {
    readers_.reserve(kPlaces);
  }

  Status start(drv::LinkSink& sink) override {
    if (Status watched = watch_.add(attachment_->wake_fd(), sink); !watched) return watched;
    sink_ = &sink;
    for (std::size_t place = 0; place < kPlaces; ++place) {
      readers_.emplace_back(segment_.progress[place], segment_.rings[place]);
    }
    return {};
  }

  // What has come and was not delivered is reported lost.
  void stop() override {
    if (sink_ == nullptr) return;
    watch_.remove(attachment_->wake_fd());
    attachment_->get_up();
    awake_ = true;
    std::uint64_t waiting = 0;
    for (std::size_t place = 0; place < attachment_->places_used(); ++place) {
      if (place != attachment_->place()) waiting += readers_[place].waiting();
    }
    if (waiting > 0) sink_->lost(DropReason::not_running, waiting);
    readers_.clear();
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const drv::SendResult result = fitting(frames, kFrameBytesMax);
    if (result.taken == 0) return result;
    writer_.write(frames.first(result.taken), clock_.wall_ns());
    attachment_->wake_sleepers();
    return result;
  }

  bool drain(std::size_t budget) override {
    if (!std::exchange(awake_, true)) attachment_->get_up();
    if (read_round(budget)) {
      looks_left_ = kLooks;
      return true;
    }
    // In a stream the next burst is nanoseconds away, while to be woken costs its sender a system call.
    if (looks_left_ > 0) return --looks_left_, true;
    awake_ = false;
    attachment_->fall_asleep();
    return something_waits();
  }

  // Judging twice would cost more than it saves: the driver sees every frame.
  void set_receive_filter(const drv::ReceiveFilter&) override {}

 private:
  static constexpr int kLooks = 32;

  // A burst of each sender in turn until there is none or the budget is used. True: there were some.
  bool read_round(std::size_t budget) {
    const std::size_t used = attachment_->places_used();
    std::size_t left = budget;
    for (std::size_t idle = 0; idle < used && left > 0; turn_ = (turn_ + 1) % used) {
      const std::size_t looked_at = turn_ == attachment_->place() ? 0 : read_burst(readers_[turn_], left);
      left -= looked_at;
      idle = looked_at > 0 ? 0 : idle + 1;
    }
    return left < budget;
  }

  std::size_t read_burst(RingReader& reader, std::size_t most) {
    const RingReader::Burst burst = reader.read(most, buffer_);
    if (burst.overrun > 0) sink_->lost(DropReason::rx_overrun, burst.overrun);
    if (burst.malformed > 0) sink_->lost(DropReason::rx_malformed, burst.malformed);
    if (!burst.frames.empty()) sink_->deliver(burst.frames);
    return burst.looked_at;
  }

  bool something_waits() const {
    for (std::size_t place = 0; place < attachment_->places_used(); ++place) {
      if (place != attachment_->place() && readers_[place].waiting() > 0) return true;
    }
    return false;
  }

  const std::unique_ptr<Attachment> attachment_;
  Segment& segment_;
  FdWatch& watch_;
  ClockPort& clock_;
  RingWriter writer_;
  std::vector<RingReader> readers_;  // by place, while started
  ReadBuffer buffer_;
  drv::LinkSink* sink_ = nullptr;
  std::size_t turn_ = 0;  // whose burst is next
  int looks_left_ = 0;    // at rings without anything new before we sleep
  bool awake_ = true;
};

}  // namespace

Result<SegmentName> shm_segment_name(const drv::Linkstr& linkstr) {
  if (Status ok = needs_argument(linkstr, "a segment's /NAME"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {"mode"}); !ok) return std::move(ok).error();
  SegmentName name{linkstr.argument.substr(1)};
  const bool for_a_file = std::all_of(name.name.begin(), name.name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (linkstr.argument[0] != '/' || name.name.empty() || name.name.size() > SegmentName::kBytesMax || !for_a_file) {
    return fail(std::errc::invalid_argument, "shm: a segment's name is a slash and 1 to " +
                                                 std::to_string(SegmentName::kBytesMax) +
                                                 " letters, digits, '.', '_' and '-', not '" + linkstr.argument + "'");
  }
  const drv::Linkstr::Option* const mode = linkstr.find("mode");
  if (mode == nullptr || mode->value == "0600") return name;
  name.mode = 0660;
  if (mode->value == "0660") return name;
  return fail(std::errc::invalid_argument,
              "shm: mode is 0600 (its user's) or 0660 (its group's, too), not '" + mode->value.value_or("") + "'");
}

Result<drv::OpenLink> open_shm_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                    ClockPort& clock) {
  const Result<SegmentName> name = shm_segment_name(linkstr);
  if (!name) return name.error();
  LinuxRandom random;
  Result<std::unique_ptr<Attachment>> attachment = Attachment::open(*name, owner.ifname, random);
  if (!attachment) return fail(attachment.error().number(), "shm: " + attachment.error().text);
  std::string chosen = (*attachment)->chosen();
  const drv::LinkCaps caps{
      .frame_bytes_max = kFrameBytesMax, .slices_max = UINT16_MAX, .offload = net::OffloadSet::all()};
  return drv::OpenLink{std::make_unique<ShmLink>(std::move(*attachment), watch, clock), caps, nullptr,
                       std::move(chosen)};
}

}  // namespace vif::host
