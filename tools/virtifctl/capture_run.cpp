// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_run.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/host_error.hpp"
#include "tools/virtifctl/capture_print.hpp"
#include "tools/virtifctl/end_on_signals.hpp"

namespace vif::tools {
namespace {

using host::CaptureRecord;

std::string link_of(const CaptureSource::Interface& interface) {
  return interface.linkstr.empty() ? "no link" : interface.linkstr;
}

std::vector<CaptureTarget::Interface> described(const CaptureSource& source, const std::string& filter) {
  std::vector<CaptureTarget::Interface> all;
  for (const CaptureSource::Interface& interface : source.interfaces()) {
    all.push_back({.name = interface.name,
                   .comment = fmt::format("{}, MTU {}", link_of(interface), interface.mtu_bytes),
                   .filter = filter,
                   .address = interface.address,
                   .snap_bytes = source.snap_bytes()});
  }
  return all;
}

// As virtifd takes it: [[code, jt, jf, k], ...].
Result<Json> compiled(const std::string& filter) {
  const Result<net::BpfProgram> program = host::compile_filter(filter);
  if (!program) {
    return fail(program.error().number(),
                fmt::format("filter '{}': {}; expected one of pcap-filter(7), as in 'arp or udp port 53'", filter,
                            program.error().text));
  }
  Json instructions = Json::array();
  for (const net::BpfInsn& one : program->insns()) instructions.push_back({one.code, one.jt, one.jf, one.k});
  return instructions;
}

}  // namespace

Result<CaptureRun> CaptureRun::begin(const CaptureJob& job, FilesPort& files) {
  Json params = job.params;
  if (!job.filter.empty()) {
    Result<Json> program = compiled(job.filter);
    if (!program) return program.error();
    params["filter"] = std::move(*program);
  }
  Result<CaptureSource> source = CaptureSource::open(job.socket_path, params);
  if (!source) return source.error();
  std::unique_ptr<CaptureTarget> target;
  if (!job.path.empty()) {
    auto created = CaptureTarget::create(job.path, job.ring, described(*source, job.filter), files);
    if (!created) return created.error();
    target = std::move(*created);
  }
  return CaptureRun(std::move(*source), std::move(target), job);
}

CaptureRun::CaptureRun(CaptureSource source, std::unique_ptr<CaptureTarget> target, const CaptureJob& job)
    : source_(std::move(source)),
      target_(std::move(target)),
      frames_left_(job.frames_max),
      watches_stdout_(job.path.empty() || job.path == "-"),
      statistics_(source_.interfaces().size(),
                  {.begun_ns = source_.begun_ns(), .ended_ns = source_.begun_ns(), .seen = {}}),
      unwritten_(source_.interfaces().size()),
      endings_(source_.interfaces().size(), Ending::none) {}

Status CaptureRun::run() {
  ::signal(SIGPIPE, SIG_IGN);  // said by write(2)
  ::signal(SIGXFSZ, SIG_IGN);
  const EndOnSignals signals(source_.fd());
  for (;;) {
    Status taken = take_all();
    if (!taken) return taken;
    if (Status waited = wait(); !waited) return waited;
    const Result<bool> more = source_.read();
    if (!more) return more.error();
    if (!*more) break;
  }
  if (Status taken = take_all(); !taken) return taken;
  if (target_ != nullptr && !unheard_) {
    if (Status ended = written(target_->end(statistics_)); !ended) return ended;
  }
  return asked_ || signals.came() ? Status() : why_ended();
}

Status CaptureRun::take_all() {
  for (;;) {
    const Result<std::optional<CaptureRecord>> record = source_.next();
    if (!record) return record.error();
    if (!*record) break;
    if ((**record).kind != CaptureRecord::Kind::frame) take_tally(**record);
    else if (Status taken = take_frame(**record); !taken) return taken;
  }
  return unheard_ ? Status() : flush();
}

Status CaptureRun::flush() {
  Status flushed;
  if (target_ != nullptr) flushed = target_->flush();
  else if (std::fflush(stdout) != 0) flushed = host::host_error("writing to standard output");
  if (flushed) count_written();
  return written(std::move(flushed));
}

void CaptureRun::count_written() {
  for (std::size_t i = 0; i < unwritten_.size(); ++i) {
    statistics_[i].delivered += unwritten_[i];
    unwritten_[i] = 0;
  }
  if (target_ != nullptr) appends_ = target_->appends();
}

Status CaptureRun::take_frame(const CaptureRecord& record) {
  net::CaptureStatistics& statistics = statistics_[record.interface];
  statistics.dropped += record.lost;
  statistics.matched += record.lost + 1;
  statistics.ended_ns = record.time_ns;
  if (unheard_ || frames_left_ == std::uint64_t{0}) return {};
  if (target_ != nullptr && target_->is_full()) {
    if (Status flushed = flush(); !flushed || unheard_) return flushed;
    if (Status begun = written(target_->next_file(statistics_)); !begun) return begun;
    appends_ = target_->appends();
  }
  ++unwritten_[record.interface];
  if (frames_left_ && --*frames_left_ == 0) end();
  const auto direction = record.outbound ? net::CaptureMarks::Direction::out : net::CaptureMarks::Direction::in;
  const net::CaptureFrame frame{.bytes = record.body,
                                .wire_bytes = record.wire_bytes,
                                .link_type = net::kLinkTypeEthernet,
                                .interface = record.interface,
                                .timestamp_ns = record.time_ns,
                                .has_time = true};
  if (target_ == nullptr) {
    print_frame(source_.interfaces()[record.interface].name, record);
    return {};
  }
  Status wrote = target_->write(frame, {.direction = direction, .lost = record.lost});
  if (wrote && target_->appends() != appends_) count_written();
  return written(std::move(wrote));
}

void CaptureRun::take_tally(const CaptureRecord& record) {
  const host::CaptureTally tally = host::tally_of(record);
  net::CaptureStatistics& statistics = statistics_[record.interface];
  statistics.seen = tally.seen;
  statistics.matched = tally.matched;
  statistics.dropped = tally.lost;
  statistics.ended_ns = record.time_ns;
  const bool is_gone = record.kind == CaptureRecord::Kind::gone;
  endings_[record.interface] = is_gone ? Ending::gone : Ending::stopped;
  const bool goes_on = std::ranges::find(endings_, Ending::none) != endings_.end();
  if (is_gone && goes_on) {
    fmt::print(stderr, "virtifctl: {} is gone; the capture goes on\n", source_.interfaces()[record.interface].name);
  }
}

// A reader that has gone away is the end, and no error.
Status CaptureRun::written(Status status) {
  if (status || status.error().number() != EPIPE) return status;
  unheard_ = true;
  end();
  return {};
}

Status CaptureRun::wait() {
  std::array<pollfd, 2> fds = {pollfd{source_.fd(), POLLIN, 0},
                               pollfd{watches_stdout_ && !unheard_ ? STDOUT_FILENO : -1, 0, 0}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return host::host_error("cannot wait for frames");
    }
    if ((fds[1].revents & POLLERR) != 0) {
      unheard_ = true;
      end();
      fds[1].fd = -1;
    }
    if (fds[0].revents != 0) return {};
  }
}

void CaptureRun::end() {
  asked_ = true;
  source_.end();
}

Status CaptureRun::why_ended() const {
  std::string gone;
  for (std::size_t i = 0; i < endings_.size(); ++i) {
    if (endings_[i] == Ending::none) return fail(ECONNRESET, "virtifd went away; the capture has ended");
    if (endings_[i] == Ending::gone) gone += (gone.empty() ? "" : ", ") + source_.interfaces()[i].name;
  }
  if (gone.empty()) return fail(ECONNRESET, "virtifd was stopped; the capture has ended");
  return fail(ENODEV, gone + (gone.find(',') == std::string::npos ? " is" : " are") + " gone; the capture has ended");
}

std::string CaptureRun::report() const {
  std::string text;
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    const net::CaptureStatistics& came = statistics_[i];
    text += fmt::format("{}: {} frames passed, {} matched, {} captured, {} dropped", source_.interfaces()[i].name,
                        came.seen ? std::to_string(*came.seen) : "?", came.matched, came.delivered, came.dropped);
    const std::uint64_t ours = came.delivered + came.dropped;
    if (came.matched > ours) text += fmt::format(", {} came after the end", came.matched - ours);
    text += '\n';
  }
  return text;
}

std::string CaptureRun::subject() const {
  std::string text;
  for (const CaptureSource::Interface& interface : source_.interfaces()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", interface.name, link_of(interface));
  }
  return text;
}

}  // namespace vif::tools
