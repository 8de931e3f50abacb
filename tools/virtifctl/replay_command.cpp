// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/replay_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/host/replay.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "hypercall/pcap_link.hpp"
#include "tools/control/parse_number.hpp"
#include "tools/virtifctl/capture_copy.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/play_command.hpp"
#include "tools/virtifctl/play_report.hpp"
#include "tools/virtifctl/replay_print.hpp"
#include "tools/virtifctl/trace/trace_recorder.hpp"

namespace vif::tools {
namespace {

constexpr Time kProgressEvery = std::chrono::milliseconds(500);

// Where a FILE of the command line is.
std::string path_of(const std::string& file) { return file == "-" ? "/dev/stdin" : file; }

Result<std::uint32_t> parse_mtu(const std::string& text) {
  constexpr std::uint32_t kMtuMax = net::kFrameBytesMax - net::kEtherHeaderBytes;
  if (const auto mtu_bytes = parse_number<std::uint32_t>(text, net::Ifnet::kMtuMin, kMtuMax)) return *mtu_bytes;
  return fail(EINVAL, fmt::format("--mtu: '{}' is not a number from {} to {}", text, net::Ifnet::kMtuMin, kMtuMax));
}

// Says on a terminal how far it is, once it takes more than a moment.
class ProgressLine {
 public:
  explicit ProgressLine(ClockPort& clock) : clock_(clock), shown_(clock.now()) {}

  void clear() const {
    if (open_) fmt::print(stderr, "\r\033[K");
  }

  void show(const std::string& file, std::uint64_t frames) {
    if (!terminal_ || clock_.now() - shown_ < kProgressEvery) return;
    shown_ = clock_.now();
    open_ = true;
    fmt::print(stderr, "\r\033[K{}: {} frames", file, frames);
  }

 private:
  ClockPort& clock_;
  Time shown_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool open_ = false;
};

// The values in a link string: among them are the files that the link reads and writes, if any.
void add_values(const std::string& linkstr, std::vector<std::string>& values) {
  const Result<drv::Linkstr> link = drv::Linkstr::parse(linkstr);
  if (!link) return;  // whoever opens it says so
  if (link->argument_nested) add_values(link->argument, values);
  else values.push_back(link->argument);
  for (const drv::Linkstr::Option& option : link->options) {
    if (option.value) values.push_back(*option.value);
  }
}

// None: it writes no file that has a name.
std::optional<std::string> written_by(const std::string& linkstr) {
  const Result<drv::Linkstr> link = drv::Linkstr::parse(linkstr);
  if (!link) return std::nullopt;
  if (link->argument_nested) return written_by(link->argument);
  const drv::Linkstr::Option* const write = link->find("write");
  return write == nullptr ? std::nullopt : write->value;
}

// EINVAL: the link would empty what is read.
Status check_spared(const std::string& linkstr, const std::vector<std::string>& read, FilesPort& files) {
  const std::optional<std::string> written = written_by(linkstr);
  for (const std::string& one : read) {
    if (written && files.same_file(*written, one)) {
      return fail(EINVAL, "--to: " + *written + " is also read: expected another file behind write=");
    }
  }
  return {};
}

// Whether its options go together, and with what there is on this host. Errors: EINVAL, naming the option.
Status check_fit(const PlayJob& job) {
  const net::ReplayPlan& plan = job.replay.plan;
  host::LinuxFiles files;
  std::vector<std::string> links = {job.replay.linkstr}, used = job.replay.captures;
  if (job.replay.split) links.push_back(job.replay.split->servers);
  if (job.expect) used.push_back(job.expect->file);
  for (const std::string& link : links) {
    if (Status spared = check_spared(link, used, files); !spared) return spared;
  }
  for (const std::string& link : links) add_values(link, used);
  if (job.expect) {
    if (job.replay.split && job.expect->learn.any()) {
      return fail(EINVAL, "--learn expects one link: what is between two does not answer");
    }
    if (plan.passes != 1) {
      return fail(EINVAL, "--loop does not go with --expect: its FILE holds what must come back once");
    }
    const bool is_timed = plan.speed.kind == net::ReplaySpeed::Kind::recorded && !plan.gap_max;
    if (job.expect->settings.window && !is_timed) {
      return fail(EINVAL,
                  "--within goes with --speed original or xN, and without --max-gap: else frames are not due as they "
                  "were recorded");
    }
  }
  if (!job.report) return {};
  if (Status checked = check_report_folder(*job.report, used, files); !checked) {
    return fail(EINVAL, "--report: " + checked.error().text);
  }
  return {};
}

}  // namespace

ReplayCommand::ReplayCommand(CLI::App& app) {
  CLI::App& replay =
      *app.add_subcommand("replay",
                          "Send capture files through a virtual interface and report what it passes up; or on a "
                          "link, with --to.");
  replay.add_option("FILE", files_, "pcap or pcapng, also packed with gzip or zstd; - is standard input")->required();
  std::vector<CLI::Option*> views = {
      replay.add_option("--lladdr", lladdr_, "the interface's address (default: generated)")->type_name("MAC"),
      replay.add_option("--join", join_, "join this group; may be repeated")->type_name("MAC")->expected(1)->take_all(),
      replay.add_flag("--allmulti", allmulti_, "receive every group"),
      replay.add_flag("--promisc", promisc_, "receive everything"),
  };
  replay
      .add_option("--mtu", mtu_bytes_,
                  "drop frames above N + 14 bytes, + 4 when tagged; 46 to 262130 (default: no limit)")
      ->type_name("N");
  views.push_back(
      replay
          .add_option("--filter", filter_, "pass only what matches, in pcap-filter(7)'s language, addresses as numbers")
          ->type_name("BPF"));
  views.push_back(
      replay.add_option("--write", write_, "write what was passed to this file: .pcap or .pcapng, as its name ends")
          ->type_name("FILE"));
  replay.add_flag("-j,--json", json_, "print a JSON array, an object a file; with --to one object");
  play_.add_to(replay, views);
  expect_.add_to(replay);
}

Result<host::ReplayRequest> ReplayCommand::request() const {
  host::ReplayRequest request;
  request.allmulti = allmulti_;
  request.promisc = promisc_;
  for (const std::string& file : files_) {
    if (file.empty()) return fail(EINVAL, "an empty FILE: expected a capture's name, or - for standard input");
  }
  if (mtu_bytes_) {
    const Result<std::uint32_t> mtu_bytes = parse_mtu(*mtu_bytes_);
    if (!mtu_bytes) return mtu_bytes.error();
    request.mtu_bytes = *mtu_bytes;
  }
  if (lladdr_) {
    Result<net::MacAddress> lladdr = net::MacAddress::parse(*lladdr_);
    if (!lladdr) return fail(lladdr.error().number(), "--lladdr: " + lladdr.error().text);
    if (lladdr->is_group()) return fail(EINVAL, "--lladdr: " + *lladdr_ + " is a group: expected a unicast address");
    request.lladdr = *lladdr;
  }
  for (const std::string& text : join_) {
    Result<net::MacAddress> group = net::MacAddress::parse(text);
    if (!group) return fail(group.error().number(), "--join: " + group.error().text);
    if (!group->is_group()) return fail(EINVAL, "--join: " + text + " is no group: expected a multicast address");
    request.join.push_back(*group);
  }
  Result<net::BpfProgram> filter = host::compile_filter(filter_);
  if (!filter) return fail(filter.error().number(), "--filter '" + filter_ + "': " + filter.error().text);
  request.filter = std::move(*filter);
  if (write_) {
    if (auto format = host::capture_format_of(*write_); !format)
      return fail(format.error().number(), "--write: " + format.error().text);
    for (const std::string& file : files_) {
      std::error_code absent;  // which is no match
      if (std::filesystem::equivalent(path_of(file), *write_, absent))
        return fail(EINVAL, "--write: " + *write_ + " is also read");
    }
  }
  return request;
}

int ReplayCommand::play_to_link() const {
  std::vector<std::string> captures;
  for (const std::string& file : files_) captures.push_back(path_of(file));
  std::optional<std::uint32_t> mtu_bytes;
  if (mtu_bytes_) {
    const Result<std::uint32_t> parsed = parse_mtu(*mtu_bytes_);
    if (!parsed) return misused("replay", parsed.error().text);
    mtu_bytes = *parsed;
  }
  const Result<host::LinkReplayRequest> asked = play_.request(std::move(captures), mtu_bytes);
  if (!asked) return misused("replay", asked.error().text);
  const Result<std::optional<ExpectRequest>> expect = expect_.request();
  if (!expect) return misused("replay", expect.error().text);
  PlayJob job{.files = files_, .replay = *asked, .expect = *expect, .report = expect_.report(), .json = json_};
  if (job.expect && job.expect->file == "-" && std::find(files_.begin(), files_.end(), "-") != files_.end()) {
    return misused("replay", "--expect: standard input is FILE already: expected one of them to be a file");
  }
  if (job.expect) job.expect->file = path_of(job.expect->file);
  if (Status fits = check_fit(job); !fits) return misused("replay", fits.error().text);
  if (job.expect) {
    job.expect->linger = job.replay.linger;
    job.replay.linger = std::max(job.replay.linger, job.expect->timeout);
  }
  return play(job);
}

int ReplayCommand::run(TraceRecorder* recorder) {
  if (play_.asked()) return play_to_link();
  Result<host::ReplayRequest> asked = request();
  if (!asked) return misused("replay", asked.error().text);
  host::ReplayRequest& request = *asked;

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  const auto recorded = record_domain(recorder, (*loop)->domain());
  if (!recorded) return failed(recorded.error().text);
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach((*loop)->domain());

  std::unique_ptr<CaptureCopy> copy;
  if (write_) {
    Result<std::unique_ptr<CaptureCopy>> created = CaptureCopy::create(*write_, files);
    if (!created) return failed(created.error().text);
    copy = std::move(*created);
    request.copy = [&](const net::Mbuf& packet) { return copy->add(packet); };
  }

  std::vector<ReplayedFile> replayed;
  bool whole = true;
  ProgressLine progress(clock);
  for (const std::string& file : files_) {
    request.progress = [&](std::uint64_t frames) { progress.show(file, frames); };
    Result<host::ReplayReport> report = host::replay(request, path_of(file), interfaces);
    if (!report)
      return report.error().number() == EINVAL ? misused("replay", report.error().text) : failed(report.error().text);
    if (copy) {
      if (Status kept = copy->flush(); !kept && report->error.empty()) report->error = kept.error().text;
    }
    whole &= report->error.empty();
    replayed.push_back({file, std::move(*report)});
  }
  progress.clear();
  json_ ? print_json(replayed) : print_table(replayed);
  if (const int status = flushed(); status != 0) return status;
  return whole ? 0 : kFailed;
}

}  // namespace vif::tools
