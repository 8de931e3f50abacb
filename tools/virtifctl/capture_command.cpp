// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/exit_status.hpp"

namespace vif::tools {
namespace {

int refused(const Error& error) { return failed(error, error.number() == EINVAL ? kUsage : kFailed); }

}  // namespace

CaptureCommand::CaptureCommand(CLI::App& app) : socket_(default_socket_path()) {
  CLI::App& capture = *app.add_subcommand(
      "capture", "Show or write the frames of a virtifd's interfaces as they pass, until interrupted.");
  capture.add_option("IF", ifnames_, "an interface, as in virt0; several go into one capture")->required();
  capture.add_option("--filter", filter_, "only these frames: an expression of pcap-filter(7)")->type_name("BPF");
  capture
      .add_option("-w,--write", write_,
                  "write them to this file, or for - to standard output; as pcapng, or as pcap when it ends so")
      ->type_name("FILE|-");
  capture
      .add_option("--ring", ring_,
                  "with -w: as in 10x100M, keep the last 10 files of 100 million bytes; named FILE_NUMBER_TIME")
      ->type_name("FILESxSIZE");
  capture.add_option("--dir", dir_, "only frames that come in, or that go out")->type_name("in|out");
  capture.add_option("-c,--count", count_, "end after so many frames")
      ->type_name("COUNT")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  capture.add_option("-s,--snaplen", snaplen_, "keep so many bytes of each frame (default 262144)")->type_name("BYTES");
  capture.add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
}

Result<CaptureJob> CaptureCommand::job() const {
  CaptureJob job{.socket_path = socket_,
                 .params = {{"ifnames", ifnames_}},
                 .filter = filter_,
                 .path = write_,
                 .ring = {},
                 .frames_max = count_};
  if (!dir_.empty()) job.params["dir"] = dir_;
  if (snaplen_) job.params["snaplen"] = *snaplen_;
  if (ring_.empty()) return job;
  const Result<CaptureRing> ring = CaptureRing::parse(ring_);
  if (!ring) return ring.error();
  if (write_.empty() || write_ == "-")
    return fail(EINVAL, "--ring needs -w FILE: where its files go, and how they begin");
  job.ring = *ring;
  return job;
}

int CaptureCommand::run() {
  const Result<CaptureJob> asked = job();
  if (!asked) return refused(asked.error());
  if (asked->path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return refused(fail(EINVAL, "-w - writes bytes, which a terminal cannot show: as in `-w - | wireshark -k -i -`"));
  }
  return run_capture(*asked);
}

int run_capture(const CaptureJob& job) {
  host::LinuxFiles files;
  Result<CaptureRun> capture = CaptureRun::begin(job, files);
  if (!capture) return refused(capture.error());
  fmt::print(stderr, "virtifctl: capturing on {}; interrupt to end\n", capture->subject());
  const Status ran = capture->run();
  if (!ran) fmt::print(stderr, "virtifctl: {}\n", ran.error().text);
  fmt::print(stderr, "{}", capture->report());
  return ran ? 0 : kFailed;
}

}  // namespace vif::tools
