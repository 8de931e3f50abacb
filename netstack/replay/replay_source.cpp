// SPDX-License-Identifier: BSD-2-Clause
// A batch ends where a capture has to be read from: that would move the bytes of the frames already in it.
#include "netstack/replay/replay_source.hpp"

#include <algorithm>

namespace vif::net {

MergedCaptures::MergedCaptures(FilesPort& files, std::vector<std::string> paths)
    : files_(files), captures_(paths.size()) {
  for (std::size_t i = 0; i < paths.size(); ++i) captures_[i].path = std::move(paths[i]);
  batch_.reserve(kAheadFrames);
}

Result<std::unique_ptr<MergedCaptures>> MergedCaptures::open(FilesPort& files, std::vector<std::string> paths) {
  std::unique_ptr<MergedCaptures> merged(new MergedCaptures(files, std::move(paths)));
  if (Status opened = merged->rewind(); !opened) return std::move(opened).error();
  return merged;
}

Status MergedCaptures::open(Capture& capture) {
  capture.reader.reset();
  capture.at = capture.count = 0;
  capture.time_ns.reset();
  capture.ended = false;
  Result<std::unique_ptr<ByteSource>> source = files_.open_source(capture.path);
  if (!source) return std::move(source).error();
  capture.source = std::move(*source);
  Result<CaptureReader> reader = CaptureReader::open(*capture.source);
  if (!reader) return fail(reader.error().number(), capture.path + ": " + reader.error().text);
  capture.reader.emplace(std::move(*reader));
  return {};
}

Status MergedCaptures::rewind() {
  heap_.clear();
  hungry_.clear();
  damage_.reset();
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    Capture& capture = captures_[i];
    Status opened = open(capture);
    if (!opened && capture.had_frames) {
      return fail(std::errc::bad_message, capture.path + " cannot be read again (" + opened.error().text +
                                              "): expected a file, not a pipe, to be replayed more than once");
    }
    if (!opened) return opened;
    hungry_.push_back(i);
  }
  return {};
}

Result<std::span<const ReplayFrame>> MergedCaptures::read() {
  batch_.clear();
  for (; !hungry_.empty(); hungry_.erase(hungry_.begin())) {
    Capture& capture = captures_[hungry_.front()];
    if (Status refilled = refill(capture); !refilled) return std::move(refilled).error();
    if (!capture.ended) push(hungry_.front());
  }
  while (!heap_.empty() && batch_.size() < kAheadFrames && hungry_.empty()) {
    const std::size_t index = pop();
    if (take_run(index)) push(index);
    else hungry_.push_back(index);
  }
  if (batch_.empty() && damage_) return *damage_;
  return std::span<const ReplayFrame>(batch_);
}

// All of it that comes before the others. False: nothing is left of it.
bool MergedCaptures::take_run(std::size_t index) {
  Capture& capture = captures_[index];
  do {
    if (!first_time_ns_) first_time_ns_ = capture.time_ns;
    batch_.push_back({capture.frames[capture.at], capture.time_ns, static_cast<std::uint32_t>(index)});
    if (++capture.at == capture.count) return false;
    place(capture);
  } while (batch_.size() < kAheadFrames && (heap_.empty() || before(index, heap_.front())));
  return true;
}

// EAGAIN: it cannot be told yet what comes next.
Status MergedCaptures::refill(Capture& capture) {
  const Result<std::size_t> n = capture.reader->read(capture.frames);
  if (!n && n.error().number() == EAGAIN) return n.error();
  if (!n && !damage_) damage_ = fail(n.error().number(), capture.path + ": " + n.error().text);
  capture.ended = !n || *n == 0;
  if (capture.ended) return {};
  capture.at = 0;
  capture.count = *n;
  capture.had_frames = true;
  place(capture);
  return {};
}

void MergedCaptures::place(Capture& capture) {
  const CaptureFrame& frame = capture.frames[capture.at];
  if (frame.has_time) capture.time_ns = std::max(capture.time_ns.value_or(frame.timestamp_ns), frame.timestamp_ns);
}

// std::nullopt comes before every time.
bool MergedCaptures::before(std::size_t one, std::size_t other) const {
  const Capture &a = captures_[one], &b = captures_[other];
  return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : one < other;
}

void MergedCaptures::push(std::size_t index) {
  heap_.push_back(index);
  std::push_heap(heap_.begin(), heap_.end(), [this](std::size_t a, std::size_t b) { return before(b, a); });
}

std::size_t MergedCaptures::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), [this](std::size_t a, std::size_t b) { return before(b, a); });
  const std::size_t index = heap_.back();
  heap_.pop_back();
  return index;
}

}  // namespace vif::net
