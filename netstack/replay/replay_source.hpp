// SPDX-License-Identifier: BSD-2-Clause
// Where a replay's frames come from: any number of captures, merged by time, in constant memory.
//
// Of each capture a bounded number of frames is read ahead. The files port is borrowed and outlives the source. One
// thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/capture/capture_reader.hpp"

namespace vif::net {

struct ReplayFrame {
  CaptureFrame record;
  std::optional<std::int64_t> time_ns;  // its place on the time line, at or after its own; none: before every time
  std::uint32_t capture = 0;            // which one, as they were given
};

class ReplaySource {
 public:
  virtual ~ReplaySource() = default;
  // The next frames, in the order to send them; borrowed until the next call. None: the pass is over. EAGAIN: what
  // follows is not known yet (ByteSource). Other errors come after every frame that could be read, and end the pass.
  virtual Result<std::span<const ReplayFrame>> read() = 0;
  // Begins another pass. Errors: the host's, or the pass would not be the same.
  virtual Status rewind() = 0;
};

// Each capture keeps its own order: a frame recorded before its predecessor, or without a time, goes with that one.
// Among equal times the capture given first comes first. A capture that turns out damaged ends there; the others go on.
class VIF_API MergedCaptures final : public ReplaySource {
 public:
  // Errors: the first capture that cannot be opened, as FilesPort and CaptureReader say it, with its name.
  static Result<std::unique_ptr<MergedCaptures>> open(FilesPort& files, std::vector<std::string> paths);

  Result<std::span<const ReplayFrame>> read() override;
  Status rewind() override;  // EBADMSG: a capture that was not empty before is now: it came through a pipe

  // The earliest recorded time there is; none before the first read(), or without any.
  std::optional<std::int64_t> first_time_ns() const { return first_time_ns_; }

 private:
  static constexpr std::size_t kAheadFrames = 64;

  struct Capture {
    std::string path;
    std::unique_ptr<ByteSource> source;
    std::optional<CaptureReader> reader;
    std::array<CaptureFrame, kAheadFrames> frames;
    std::size_t at = 0, count = 0;        // [at, count) of `frames` are still to come
    std::optional<std::int64_t> time_ns;  // of the one at `at`, once it is placed
    bool ended = false, had_frames = false;
  };

  MergedCaptures(FilesPort& files, std::vector<std::string> paths);
  Status open(Capture& capture);
  bool take_run(std::size_t index);
  Status refill(Capture& capture);
  void place(Capture& capture);
  bool before(std::size_t one, std::size_t other) const;
  void push(std::size_t index);
  std::size_t pop();

  FilesPort& files_;
  std::vector<Capture> captures_;
  std::vector<std::size_t> heap_;    // captures with a frame placed, the earliest on top
  std::vector<std::size_t> hungry_;  // captures to be read from before the next frame
  std::vector<ReplayFrame> batch_;
  std::optional<Error> damage_;  // of this pass, the first
  std::optional<std::int64_t> first_time_ns_;
};

}  // namespace vif::net
