// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
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

std::string joined(std::initializer_list<const Status*> all) {
  std::string text;
  for (const Status* const one : all) {
    if (!*one) text += (text.empty() ? "" : "; ") + one->error().text;
  }
  return text;
}

// Prints the result and writes the report, each whether the other went well or not; the exit status.
int tell(const PlayJob& job, const Played& played) {
  int status = played.pass() ? 0 : kFailed;
  if (played.report.totals.passes == 0 && !played.interrupted) status = kNoEnvironment;  // it never began
  const Status written = job.report ? write_report(*job.report, played) : Status();
  for (const std::string& error : {played.host_error, joined({&written})}) {
    if (!error.empty()) status = no_environment(error);
  }
  if (job.json) fmt::print("{}\n", json_text(nlohmann::ordered_json::array({played_json(played)})));
  else print_played(played, ::isatty(STDOUT_FILENO) == 1);
  return std::max(status, flushed(kNoEnvironment));
}

}  // namespace

int play(const PlayJob& job) {
  std::optional<std::string> received;
  if (job.report) {
    if (Status cleared = clear_report_folder(*job.report); !cleared) return no_environment(cleared.error().text);
    received = received_path(*job.report);
  }
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return no_environment(loop.error().text);
  host::Instance instance({clock, files});
  (void)instance.attach(**loop);
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
  const Result<int> waited_for = files.do_not_wait();
  if (!waited_for) return no_environment(waited_for.error().text);
  (*runner)->watch(*waited_for, [&] {
    files.heard();
    (*replay)->readable();
  });
  (*loop)->poll(0);  // so that the domain knows the time
  (*replay)->start();
  const Status ran =
      (*runner)->run([&] { return (*replay)->ended() || !(*watch)->timed(); },
                     [&] { progress.show((*replay)->totals(), (*replay)->since_start()); }, PlayProgress::kEvery);
  progress.clear();
  const host::LinkReplayReport report = (*replay)->finish();
  const auto verdict = (*watch)->finish();
  return tell(job, {job.files, (*watch)->links(), report, verdict, (*watch)->verdicts(), interrupted, (*watch)->log(),
                    joined({&ran, &(*watch)->timed(), &(*watch)->written()})});
}

}  // namespace vif::tools
