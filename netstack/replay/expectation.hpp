// SPDX-License-Identifier: BSD-2-Clause
// What must come back while captures are replayed, and the verdict: which frames came as expected, and what was first
// to differ. A value that hears of frames as they arrive; one thread at a time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "netstack/base/ports.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/replay/frame_flow.hpp"
#include "netstack/replay/frame_mask.hpp"
#include "netstack/replay/frame_selector.hpp"
#include "netstack/replay/frame_splitter.hpp"

namespace vif::net {

enum class ExpectOrder : std::uint8_t {
  ordered,    // as in the capture
  unordered,  // each as often as in the capture
  per_flow,   // those of a flow as in the capture: of the same addresses, protocol and ports
};

struct ExpectSettings {
  FrameMask mask = {};     // what does not matter
  BpfProgram select = {};  // frames that it does not want are not looked at: neither expected nor received
  ExpectOrder order = ExpectOrder::ordered;
  bool others_allowed = false;      // frames that were not expected are let pass; else they fail
  std::optional<Time> window = {};  // a frame may be so much earlier or later than it was recorded
};

struct ExpectedFrame {
  std::vector<std::byte> bytes;
  std::optional<std::int64_t> time_ns = {};  // recorded
  ReplaySide side = ReplaySide::clients;     // whose frame it is
  std::size_t number = 0;                    // from 1 on; 0: its place among those expected
};

// What ExpectSettings::window counts from.
struct ExpectClock {
  std::optional<std::int64_t> origin_ns = {};  // recorded time of the first frame sent; none: windows are not asked
  double times_as_fast = 1;                    // the replay
};

enum class ExpectFault : std::uint8_t { different, missing, unexpected, early, late, kCount };
inline constexpr std::size_t kExpectFaults = static_cast<std::size_t>(ExpectFault::kCount);
inline constexpr std::array<std::string_view, kExpectFaults> kExpectFaultNames = {"different", "missing", "unexpected",
                                                                                  "early", "late"};
constexpr std::string_view name(ExpectFault fault) { return kExpectFaultNames[static_cast<std::size_t>(fault)]; }

// One thing that is not as expected. Frames are counted from 1, as Wireshark does.
struct ExpectFailure {
  ExpectFault fault;
  std::optional<std::size_t> expected, received;  // which; neither is known of every fault
  std::string text;                               // "frame 3: ip.ttl: expected 64, received 63"
  std::vector<FieldComparison> fields;            // side by side, where there are two frames
  Time noticed = Time::max();                     // since the replay's begin; the latest there is: at its end
};

struct ExpectVerdict {
  std::size_t expected = 0, received = 0;  // frames
  std::size_t matched = 0, let_pass = 0;   // of those received; the rest are faults
  std::array<std::size_t, kExpectFaults> faults{};
  std::vector<ExpectFailure> failures;  // the first ones, in the order they were noticed

  std::size_t count(ExpectFault fault) const { return faults[static_cast<std::size_t>(fault)]; }
  bool pass() const { return matched == expected && failures.empty(); }
};

class VIF_API Expectation {
 public:
  static constexpr std::size_t kFailuresKept = 100;

  Expectation(ExpectSettings settings, std::vector<ExpectedFrame> frames);

  // The Ethernet frames of a capture that `select` wants. Errors: as FilesPort and CaptureReader; EINVAL: a frame of
  // another link type, or one of which the capture holds only the beginning. A splitter says whose frame each is; all
  // are the clients' without one.
  static Result<std::vector<ExpectedFrame>> load(FilesPort& files, const std::string& path,
                                                 const BpfProgram& select = {},
                                                 std::optional<FrameSplitter> splitter = {});

  // What windows count from; before the first frame that is asked.
  void set_clock(const ExpectClock& clock) { clock_ = clock; }

  // A frame arrived, so long after the replay began. Null: as expected, or let pass; else what is wrong, until the next
  // call.
  const ExpectFailure* received(Bytes frame, Time since_start);
  // Every frame expected has come.
  bool satisfied() const { return outstanding_ == 0; }
  // Nothing more will come: what is outstanding is missing.
  const ExpectVerdict& finish();

 private:
  using Compared = std::vector<std::byte>;
  static constexpr std::size_t kLookAhead = 64;

  struct Queue {
    std::deque<std::size_t> outstanding;  // ascending; only the head goes
    std::vector<std::size_t> let_pass;    // meanwhile, as they came: what is like them and expected behind the head

    void pop() {
      outstanding.pop_front();
      let_pass.clear();
    }
  };

  std::size_t number(std::size_t index) const { return frames_[index].number; }
  Compared key_of(const MaskedFrame& masked) const;
  FrameFlow flow_of(std::size_t expected) const;
  std::optional<std::size_t> next_like(const Compared& compared, std::size_t from) const;
  std::optional<std::size_t> later_in(const Queue& queue, const Compared& compared) const;
  void miss_before(Queue& queue, std::size_t later);
  const ExpectFailure* matched(std::size_t expected, Time since_start);
  const ExpectFailure* stranger(Bytes frame, const Compared& compared);
  const ExpectFailure* failed(ExpectFailure failure);
  std::optional<std::size_t> closest(Bytes frame) const;
  std::vector<std::size_t> left_of(const Queue& queue);

  const ExpectSettings settings_;
  std::vector<ExpectedFrame> frames_;
  ExpectClock clock_;
  FrameSelector selector_;
  std::vector<Compared> compared_;                                   // beside frames_
  std::unordered_map<std::size_t, std::vector<std::size_t>> alike_;  // by the hash of compared_, ascending
  std::map<Compared, Queue> queues_;  // outstanding frames, in the order each queue wants
  std::size_t outstanding_;
  ExpectVerdict verdict_;
  std::optional<ExpectFailure> last_;
  Time now_ = Time::max();  // since the replay's begin; of the frame that is looked at
  bool finished_ = false;
};

}  // namespace vif::net
