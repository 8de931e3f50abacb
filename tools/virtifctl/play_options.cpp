// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_options.hpp"

#include <fmt/core.h>

#include "hypercall/bpf_compile.hpp"
#include "tools/control/parse_number.hpp"

namespace vif::tools {
namespace {

Result<std::uint64_t> parse_count(const char* option, const std::string& text, std::uint64_t least) {
  if (const auto count = parse_number<std::uint64_t>(text, least)) return *count;
  return fail(EINVAL, fmt::format("{}: '{}' is not a number from {}", option, text, least));
}

Result<std::uint64_t> parse_passes(const std::string& text) {
  if (text == "forever") return net::ReplayPlan::kForever;
  const Result<std::uint64_t> passes = parse_count("--loop", text, 1);
  if (!passes) return fail(EINVAL, passes.error().text + ", nor forever");
  return passes;
}

Status parse_time(const char* option, const std::optional<std::string>& text, std::optional<Time>& into) {
  if (!text) return {};
  const Result<Time> time = net::parse_replay_time(*text);
  if (!time) return fail(EINVAL, fmt::format("{}: {}", option, time.error().text));
  into = *time;
  return {};
}

}  // namespace

void PlayOptions::add_to(CLI::App& replay, const std::vector<CLI::Option*>& views) {
  CLI::Option* const to =
      replay
          .add_option("--to", to_,
                      "send the captures, merged by time, on this link instead; twice with --split: the clients' link, "
                      "then the servers'")
          ->type_name("LINKSTR")
          ->expected(1)
          ->take_all();
  for (CLI::Option* const view : views) to->excludes(view);
  replay
      .add_option(
          "--split", split_,
          "send what clients sent on one link and what servers sent on the other: net=NETWORK, port or "
          "port=NUMBER (of servers), iface=NUMBER (of a pcapng), or first (whoever sends first in a flow is its "
          "client); values with commas in between")
      ->type_name("RULE")
      ->needs(to);
  replay
      .add_option("--speed", speed_,
                  "original (as recorded), xN times as fast, pps=N frames or bps=N bits a second (k, M, G), or top")
      ->needs(to);
  replay.add_option("--loop", loop_, "play all of it N times, or forever")->type_name("N")->needs(to);
  replay.add_option("--max-gap", gap_max_, "cut longer gaps between recorded times to this, as in 100ms")
      ->type_name("TIME")
      ->needs(to);
  replay.add_option("--limit", limit_, "end after N frames of the captures were sent")->type_name("N")->needs(to);
  replay.add_option("--duration", duration_, "send nothing that is due later than this, as in 10s")
      ->type_name("TIME")
      ->needs(to);
  replay
      .add_option("--linger", linger_,
                  "listen so long after the last frame (default: not at all; with --expect as long as --timeout, or "
                  "until all has "
                  "come and 200 ms more)")
      ->type_name("TIME")
      ->needs(to);
  replay.add_option("--send", send_, "send only frames that match, in pcap-filter(7)'s language, addresses as numbers")
      ->type_name("BPF")
      ->needs(to);
  replay
      .add_option("--rewrite", rewrite_,
                  "change frames first, checksums too: eth.src=MAC, eth.dst=MAC, mac:OLD=NEW, vlan=push:ID, vlan=pop, "
                  "vlan=ID, ip:OLD/N=NEW/N, port:OLD=NEW, ttl=N, with commas in between")
      ->type_name("RULES")
      ->needs(to);
  replay
      .add_option("--oversize", oversize_,
                  "frames too long for the link or --mtu: refuse, truncate, or split (TCP into segments, other IPv4 "
                  "into fragments)")
      ->check(CLI::IsMember({"refuse", "truncate", "split"}))
      ->needs(to);
}

Result<host::LinkReplayRequest> PlayOptions::request(std::vector<std::string> captures,
                                                     std::optional<std::uint32_t> mtu_bytes) const {
  host::LinkReplayRequest request;
  request.captures = std::move(captures);
  if (Status read = split(request); !read) return std::move(read).error();
  request.mtu_bytes = mtu_bytes;
  const Result<net::ReplaySpeed> speed = net::parse_replay_speed(speed_);
  if (!speed) return fail(EINVAL, "--speed: " + speed.error().text);
  request.plan.speed = *speed;
  const Result<std::uint64_t> passes = parse_passes(loop_);
  if (!passes) return passes.error();
  request.plan.passes = *passes;
  std::optional<Time> linger;
  if (Status read = parse_time("--max-gap", gap_max_, request.plan.gap_max); !read) return read.error();
  if (Status read = parse_time("--duration", duration_, request.plan.duration); !read) return read.error();
  if (Status read = parse_time("--linger", linger_, linger); !read) return read.error();
  request.linger = linger.value_or(Time(0));
  if (limit_) {
    const Result<std::uint64_t> frames = parse_count("--limit", *limit_, 1);
    if (!frames) return frames.error();
    request.plan.frames_max = *frames;
  }
  if (oversize_ == "truncate") request.oversize = net::ReplayOversize::truncate;
  if (oversize_ == "split") request.oversize = net::ReplayOversize::split;
  Result<net::BpfProgram> send = host::compile_filter(send_);
  if (!send) return fail(EINVAL, "--send '" + send_ + "': " + send.error().text);
  request.select = std::move(*send);
  Result<net::FrameRewriter> rewriter = net::FrameRewriter::parse(rewrite_);
  if (!rewriter) return fail(EINVAL, "--rewrite: " + rewriter.error().text);
  request.rewriter = std::move(*rewriter);
  return request;
}

Status PlayOptions::split(host::LinkReplayRequest& request) const {
  for (const std::string& linkstr : to_) {
    if (Result<drv::Linkstr> link = drv::Linkstr::parse(linkstr); !link) {
      return fail(EINVAL, "--to: " + link.error().text);
    }
  }
  if (to_.size() != (split_ ? 2 : 1)) {
    return fail(EINVAL, split_ ? "--split expects two links, --to twice: the clients', then the servers'"
                               : "--to expects one link; for two, --split says which frames go where");
  }
  request.linkstr = to_.front();
  if (!split_) return {};
  const Result<net::FrameSplitter> rule = net::FrameSplitter::parse(*split_);
  if (!rule) return fail(EINVAL, "--split: " + rule.error().text);
  request.split = {*rule, to_.back()};
  return {};
}

}  // namespace vif::tools
