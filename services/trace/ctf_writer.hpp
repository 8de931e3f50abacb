// SPDX-License-Identifier: BSD-2-Clause
// A recording in the Common Trace Format 1.8 (diamon.org/ctf), which babeltrace2 and Trace Compass read: a folder with
// a text `metadata` and a file of packets for each CPU. Little-endian, nothing aligned beyond bytes. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/stream.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace vif::trace {

// Events are called SYSTEM:EVENT; texts are strings, numbers as they are, what is neither a sequence of bytes.
VIF_API std::string ctf_metadata(const std::map<std::uint16_t, RecordedEvent>& events);

// One CPU's packets. Where records were lost a new one begins and says how many.
class VIF_API CtfStream {
 public:
  CtfStream(std::unique_ptr<ByteSink> sink, std::size_t cpu) : sink_(std::move(sink)), cpu_(cpu) {}

  // In the order of time. Errors: the sink's.
  Status add(const TraceDatReader::Record& record);
  // After the last.
  Status finish();

 private:
  void put_event(const TraceDatReader::Record& record);

  std::unique_ptr<ByteSink> sink_;
  std::size_t cpu_;
  std::string events_;  // of the packet being made
  std::uint64_t begin_ns_ = 0, end_ns_ = 0, lost_ = 0;
  bool is_begun_ = false;  // a packet was written, or is being made
};

}  // namespace vif::trace
