// SPDX-License-Identifier: BSD-2-Clause
// A replay that is over, as JSON: for -j and for reports.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hypercall/replay/link_replay.hpp"
#include "netstack/replay/expectation.hpp"
#include "netstack/replay/replay_log.hpp"

namespace vif::tools {

// Of LinkReplayReport::early.
inline constexpr const char* kEndedEarly = "before the captures did: what followed was not tried";

// Valid only inside the call that is told of it: it borrows all of what was played, down to temporaries.
struct Played {
  const std::vector<std::string>& files;
  const std::vector<std::string>& links;  // one, or the clients' and the servers'
  const host::LinkReplayReport& report;
  const std::optional<net::ExpectVerdict>& verdict;  // of all links together
  const std::vector<net::ExpectVerdict>& verdicts;   // of each; empty: nothing was expected
  bool interrupted = false;
  const std::optional<net::ReplayLog>& log;  // for a report
  std::string host_error = {};               // what went wrong on this host, beside what was sent; empty: nothing

  // Of the records, those the backend took whole and has not reported lost since; and those it did not take or keep.
  std::uint64_t sent() const;
  std::uint64_t failed() const { return report.totals.records - sent() - report.refused(); }
  // None: of fewer than two frames, or in no time, there is no rate.
  std::optional<double> frames_per_second() const;
  std::string to() const;  // "tap:a", "tap:a and tap:b"
  // Every frame was sent, what came back is what was expected, and this host did its part.
  bool pass() const { return report.complete() && !interrupted && host_error.empty() && (!verdict || verdict->pass()); }
};

// Frames that came as expected, and when.
std::size_t as_expected(const net::ExpectVerdict& verdict);
// ", 1 missing, 2 late"; empty: nothing was wrong.
std::string faults_text(const net::ExpectVerdict& verdict);

// By powers of two, as net::ReplayTotals::late_us.
using TimeBuckets = std::array<std::uint64_t, net::kReplayLateBuckets>;
// The upper end, in microseconds, of the bucket below which so many of a thousand are; 0: there are none.
std::uint64_t us_below(const TimeBuckets& buckets, std::uint64_t per_mille);

// {"file","files","to","verdict","frames","skipped","runts","other_linktype",
//  "sent":{"frames","bytes","seconds","pps","failed"},"refused":{reason: frames},"truncated","split","passes",
//  "late_us":{"max","p50","p99"},"gap_error_us":{...},"received","received_before",
//  "expect":null or {"expected","received","matched","let_pass","faults":{fault: frames},
//    "failures":[{"fault","expected","received","text",
//      "fields":[{"name","expected","received","ignored","differs"}]}]},
//  "links":[{"to","sent":{"frames","bytes","lost"},"received",
//    "expect":null or
//    {"expected","received","matched","let_pass","faults"}}],"interrupted","ended_early","error","host_error"}.
// "to" is null when there are two links. frames = sent.frames + sent.failed + all of refused; skipped are those that
// --send left out; pps is null where there is no rate; received_before are those that came before the start.
nlohmann::ordered_json played_json(const Played& played);

// As text; what is no UTF-8, as file names may be, is replaced rather than refused.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace vif::tools
