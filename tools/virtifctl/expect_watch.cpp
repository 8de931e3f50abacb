// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/expect_watch.hpp"

namespace vif::tools {

Result<std::unique_ptr<ExpectWatch>> ExpectWatch::open(const std::optional<ExpectRequest>& request,
                                                       const std::optional<std::string>& received, FilesPort& files,
                                                       ClockPort& clock) {
  std::unique_ptr<ExpectWatch> watch(new ExpectWatch(clock));
  if (request) {
    auto frames = net::Expectation::load(files, request->file, request->settings.select);
    if (!frames) return std::move(frames).error();
    if (request->learn.any()) watch->learned_.emplace(request->learn);
    for (const net::ExpectedFrame& frame : *frames) {
      if (watch->learned_) watch->learned_->add(frame.bytes);
    }
    watch->expectation_.emplace(request->settings, std::move(*frames));
  }
  if (received) {
    auto sink = files.create_sink(*received);
    if (!sink) return std::move(sink).error();
    watch->log_.emplace();
    watch->sink_ = std::move(*sink);
    watch->writer_.emplace(*watch->sink_, net::CaptureFormat::pcapng);
    if (auto added = watch->writer_->add_interface("received", net::kLinkTypeEthernet); !added) return added.error();
  }
  return watch;
}

void ExpectWatch::attach(host::LinkReplay& replay, double times_as_fast) {
  times_as_fast_ = times_as_fast;
  replay.on_received = [this, &replay](Bytes frame, Bytes as_recorded) { heard(replay, frame, as_recorded); };
  if (log_) replay.on_sent = [this, &replay](Bytes frame) { log_->sent(frame, replay.since_start()); };
  if (expectation_ && expectation_->satisfied()) replay.set_linger(kSettle);  // nothing is to come
}

void ExpectWatch::heard(host::LinkReplay& replay, Bytes frame, Bytes as_recorded) {
  const net::ExpectFailure* failure = nullptr;
  if (expectation_) {
    expectation_->set_clock({replay.first_time_ns(), times_as_fast_});
    const bool was_satisfied = expectation_->satisfied();
    failure = expectation_->received(as_recorded, replay.since_start());
    if (!was_satisfied && expectation_->satisfied()) replay.set_linger(kSettle);
  }
  if (log_) log_->received(frame, replay.since_start(), failure != nullptr);
  if (!writer_ || !written_) return;
  std::string comment;
  if (failure != nullptr) comment = std::string(net::name(failure->fault)) + ": " + failure->text;
  written_ = writer_->write({.bytes = frame,
                             .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                             .link_type = net::kLinkTypeEthernet,
                             .timestamp_ns = clock_.wall_ns(),
                             .has_time = true},
                            {.comment = comment});
}

Result<std::optional<net::ExpectVerdict>> ExpectWatch::finish() {
  if (writer_ && written_) written_ = writer_->flush();
  if (!written_) return written_.error();
  if (!expectation_) return std::optional<net::ExpectVerdict>();
  return std::optional(expectation_->finish());
}

}  // namespace vif::tools
