// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/replay/precise_runner.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/expect_watch.hpp"
#include "tools/virtifctl/play_print.hpp"
#include "tools/virtifctl/play_progress.hpp"
#include "tools/virtifctl/play_report.hpp"

namespace vif::tools {
namespace {

constexpr int kNoEnvironment = 3;

int no_environment(const std::string& text) {
  fmt::print(stderr, "virtifctl replay: {}\n", text);
  return kNoEnvironment;
}

// Prints the result and writes the report; the exit status.
int tell(const PlayJob& job, const Played& played) {
  if (job.json) fmt::print("{}\n", json_text(nlohmann::ordered_json::array({played_json(played)})));
  else print_played(played, ::isatty(STDOUT_FILENO) == 1);
  if (const int status = flushed(kNoEnvironment); status != 0) return status;
  if (job.report) {
    if (Status written = write_report(*job.report, played); !written) return no_environment(written.error().text);
  }
  if (played.report.totals.passes == 0 && !played.interrupted) return kNoEnvironment;  // it never began
  return played.pass() ? 0 : kFailed;
}

}  // namespace

int play(const PlayJob& job) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return no_environment(loop.error().text);
  host::Instance instance({clock, files});
  (void)instance.attach(**loop);
  std::optional<std::string> received;
  if (job.report) {
    if (Status made = make_report_folder(*job.report); !made) return no_environment(made.error().text);
    received = *job.report + "/received.pcapng";
  }
  auto watch = ExpectWatch::open(job.expect, job.replay, received, {files, clock});
  if (!watch) return no_environment(watch.error().text);
  host::LinkReplayRequest request = job.replay;
  CountedFiles captures(files);
  PlayProgress progress(request, files, captures);
  request.learned = (*watch)->learned();
  auto replay = host::LinkReplay::open(request, captures, {instance.schemes(), clock, (*loop)->domain()});
  if (!replay) return no_environment(replay.error().text);
  (*watch)->attach(**replay, job.replay.plan.speed.value);

  bool interrupted = false;
  auto runner = host::PreciseRunner::create(**loop, clock, [&] {
    interrupted = true;
    (*replay)->stop();
  });
  if (!runner) return no_environment(runner.error().text);
  (*loop)->poll(0);  // so that the domain knows the time
  (*replay)->start();
  const Status ran =
      (*runner)->run([&] { return (*replay)->ended(); },
                     [&] { progress.show((*replay)->totals(), (*replay)->since_start()); }, PlayProgress::kEvery);
  progress.clear();
  const host::LinkReplayReport report = (*replay)->finish();
  const auto verdict = (*watch)->finish();
  if (!verdict) return no_environment(verdict.error().text);
  if (!ran) return no_environment(ran.error().text);
  return tell(job,
              {job.files, (*watch)->links(), report, *verdict, (*watch)->verdicts(), interrupted, (*watch)->log()});
}

}  // namespace vif::tools
