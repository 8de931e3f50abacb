// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/expect_options.hpp"

#include "hypercall/bpf_compile.hpp"
#include "netstack/replay/replay_plan.hpp"

namespace vif::tools {

void ExpectOptions::add_to(CLI::App& replay) {
  CLI::Option* const to = replay.get_option("--to");
  CLI::Option* const expect =
      replay
          .add_option(
              "--expect", expect_,
              "the frames that must come back, a capture, or - for standard input: exit status 1 when they do not")
          ->type_name("FILE")
          ->needs(to);
  replay
      .add_option("--ignore", ignore_,
                  "fields and bytes that may differ, as in ip.ttl,tcp.seq,@34..38; may be repeated")
      ->type_name("FIELDS")
      ->expected(1)
      ->take_all()
      ->needs(expect);
  replay
      .add_option(
          "--learn", learn_,
          "of those who answer, learn what they choose anew from their first frames, and put it in place of what "
          "was recorded: tcp.seq, tcp.srcport, udp.srcport, with commas in between")
      ->type_name("FIELDS")
      ->needs(expect);
  replay
      .add_option("--order", order_,
                  "ordered as in the file, unordered, or per-flow: those of the same addresses and ports in order")
      ->check(CLI::IsMember({"ordered", "unordered", "per-flow"}))
      ->needs(expect);
  replay.add_option("--only", only_, "look only at frames that match, of FILE and of what comes back")
      ->type_name("BPF")
      ->needs(expect);
  replay.add_flag("--allow-others", allow_others_, "other frames may come, too")->needs(expect);
  replay.add_option("--within", within_, "a frame may be so much earlier or later than it was recorded, as in 5ms")
      ->type_name("TIME")
      ->needs(expect);
  replay.add_option("--timeout", timeout_, "wait at most so long after the last frame sent (default: 1s)")
      ->type_name("TIME")
      ->needs(expect);
  replay
      .add_option("--report", report_, "write received.pcapng, report.json, junit.xml and report.html to this folder")
      ->type_name("FOLDER")
      ->needs(to);
}

Result<std::optional<ExpectRequest>> ExpectOptions::request() const {
  if (!expect_) return std::optional<ExpectRequest>();
  ExpectRequest request{.file = *expect_, .settings = {}};
  std::string fields;
  for (const std::string& words : ignore_) fields += (fields.empty() ? "" : ",") + words;
  Result<net::FrameMask> mask = net::FrameMask::parse(fields);
  if (!mask) return fail(EINVAL, "--ignore: " + mask.error().text);
  request.settings.mask = std::move(*mask);
  request.settings.order = order_ == "ordered"     ? net::ExpectOrder::ordered
                           : order_ == "unordered" ? net::ExpectOrder::unordered
                                                   : net::ExpectOrder::per_flow;
  const Result<net::LearnedFlows::Wanted> learn = net::LearnedFlows::parse(learn_);
  if (!learn) return fail(EINVAL, "--learn: " + learn.error().text);
  request.learn = *learn;
  request.settings.others_allowed = allow_others_;
  Result<net::BpfProgram> only = host::compile_filter(only_);
  if (!only) return fail(EINVAL, "--only '" + only_ + "': " + only.error().text);
  request.settings.select = std::move(*only);
  const Result<Time> timeout = net::parse_replay_time(timeout_);
  if (!timeout) return fail(EINVAL, "--timeout: " + timeout.error().text);
  request.timeout = *timeout;
  if (within_) {
    const Result<Time> window = net::parse_replay_time(*within_);
    if (!window) return fail(EINVAL, "--within: " + window.error().text);
    request.settings.window = *window;
  }
  return std::optional(std::move(request));
}

}  // namespace vif::tools
