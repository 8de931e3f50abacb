// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/expect_watch.hpp"

#include <algorithm>

namespace vif::tools {

Result<std::unique_ptr<ExpectWatch>> ExpectWatch::open(const std::optional<ExpectRequest>& request,
                                                       const host::LinkReplayRequest& replay,
                                                       const std::optional<std::string>& received, const Host& host) {
  std::unique_ptr<ExpectWatch> watch(new ExpectWatch(host.clock));
  watch->links_ = {replay.linkstr};
  if (replay.split) watch->links_.push_back(replay.split->servers);
  if (request) {
    if (Status read = watch->expect(*request, replay, host.files); !read) return std::move(read).error();
  }
  if (received) {
    if (Status created = watch->keep(*received, host.files); !created) return std::move(created).error();
  }
  return watch;
}

Status ExpectWatch::expect(const ExpectRequest& request, const host::LinkReplayRequest& replay, FilesPort& files) {
  std::optional<net::FrameSplitter> splitter;
  if (replay.split) splitter = replay.split->rule;
  auto frames = net::Expectation::load(files, request.file, request.settings.select, std::move(splitter));
  if (!frames) return std::move(frames).error();
  if (frames->empty()) {
    return fail(EINVAL, request.file + " holds no frame to expect" +
                            (request.settings.select.insns().empty() ? "" : ": --only selects none of it"));
  }
  linger_ = request.linger;
  has_window_ = request.settings.window.has_value();
  const auto untimed = std::find_if(frames->begin(), frames->end(), [](const auto& frame) { return !frame.time_ns; });
  if (has_window_ && untimed != frames->end()) {
    return fail(EINVAL, "--within expects recorded times: frame " + std::to_string(untimed->number) + " of " +
                            request.file + " has none");
  }
  if (request.learn.any()) learned_.emplace(request.learn);
  for (const net::ExpectedFrame& frame : *frames) {
    if (learned_) learned_->add(frame.bytes);
  }
  expectation_.emplace(request.settings, std::move(*frames), links_);
  return {};
}

// Of one link the capture's interface is called received; of two, each as its link.
Status ExpectWatch::keep(const std::string& path, FilesPort& files) {
  auto sink = files.create_sink(path);
  if (!sink) return std::move(sink).error();
  log_.emplace();
  sink_ = std::move(*sink);
  writer_.emplace(*sink_, net::CaptureFormat::pcapng);
  for (const std::string& link : links_) {
    const std::string name = links_.size() == 1 ? "received" : link.substr(0, net::kCaptureNameBytesMax);
    if (auto added = writer_->add_interface(name, net::kLinkTypeEthernet); !added) return added.error();
  }
  return {};
}

void ExpectWatch::attach(host::LinkReplay& replay, double times_as_fast) {
  times_as_fast_ = times_as_fast;
  replay.on_received = [this, &replay](net::ReplaySide at, Bytes frame, Bytes as_recorded) {
    heard(replay, at, frame, as_recorded);
  };
  if (has_window_ || log_) replay.on_sent = [this, &replay](net::ReplaySide, Bytes frame) { sent(replay, frame); };
}

void ExpectWatch::sent(host::LinkReplay& replay, Bytes frame) {
  if (has_window_ && timed_ && !replay.first_time_ns()) {
    timed_ = fail(EINVAL, "--within expects recorded times: the first frame that was sent has none");
  }
  if (log_) log_->sent(frame, replay.since_start());
}

void ExpectWatch::heard(host::LinkReplay& replay, net::ReplaySide at, Bytes frame, Bytes as_recorded) {
  const net::ExpectFailure* failure = nullptr;
  if (expectation_) {
    expectation_->set_clock({replay.first_time_ns(), times_as_fast_});
    const bool was_satisfied = expectation_->satisfied();
    failure = expectation_->received(at, as_recorded, replay.since_start());
    if (!was_satisfied && expectation_->satisfied()) replay.satisfied(linger_);
  }
  if (log_) log_->received(frame, replay.since_start(), failure != nullptr);
  if (!writer_ || !written_) return;
  std::string comment;
  if (failure != nullptr) comment = std::string(net::name(failure->fault)) + ": " + failure->text;
  written_ = writer_->write({.bytes = frame,
                             .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                             .link_type = net::kLinkTypeEthernet,
                             .interface = static_cast<std::uint32_t>(net::index_of(at)),
                             .timestamp_ns = clock_.wall_ns(),
                             .has_time = true},
                            {.comment = comment});
}

std::optional<net::ExpectVerdict> ExpectWatch::finish() {
  if (writer_ && written_) written_ = writer_->flush();
  if (!expectation_) return std::nullopt;
  return expectation_->finish();
}

}  // namespace vif::tools
