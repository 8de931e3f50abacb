// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_command.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>

#include "hypercall/trace/salvage.hpp"
#include "hypercall/trace/trace_dat_file.hpp"
#include "services/connector/proc_trace.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/trace/trace_convert.hpp"
#include "tools/virtifctl/trace/trace_print.hpp"
#include "tools/virtifctl/trace/trace_recorder.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kBufferKibDefault = 65536;

Result<std::vector<std::byte>> read_whole(const std::string& path) {
  host::LinuxFiles files;
  Result<std::unique_ptr<ByteSource>> source = files.open_source(path == "-" ? "/dev/stdin" : path);
  if (!source) return std::move(source).error();
  std::vector<std::byte> bytes;
  constexpr std::size_t kPiece = 1 << 20;
  for (std::size_t size = 0;;) {
    bytes.resize(size + kPiece);
    const Result<std::size_t> got = (*source)->read(std::span(bytes).subspan(size));
    if (!got) return got.error();
    size += *got;
    if (*got != 0) continue;
    bytes.resize(size);
    return bytes;
  }
}

// The exit status.
int with_trace(const std::string& path, const std::function<Status(trace::TraceDatReader&)>& carry_out) {
  const Result<std::vector<std::byte>> file = read_whole(path);
  if (!file) return failed(file.error().text);
  Result<trace::TraceDatReader> trace = trace::TraceDatReader::open(*file);
  if (!trace) return failed(path + ": " + trace.error().text);
  for (const std::string& instance : trace->instances()) {
    (void)failed(path + ": left out: what instance '" + instance + "' of the kernel's tracing recorded");
  }
  if (const Status done = carry_out(*trace); !done) {
    return failed(done.error().text, done.error().number() == EINVAL ? kUsage : kFailed);
  }
  if (const int status = flushed(); status != 0) return status;
  return trace->damaged() ? failed(path + ": some pages are damaged; the rest was read") : 0;
}

// The words of the command to record, without the program's name. Empty: none that runs in this process.
std::vector<std::string> recorded_words(std::vector<std::string> words) {
  const std::string_view program = words.empty() ? std::string_view() : std::string_view(words.front());
  if (program.substr(program.rfind('/') + 1) == "virtifctl") words.erase(words.begin());
  const bool is_known =
      !words.empty() && (words.front() == "replay" || words.front() == "bridge" || words.front() == "fwu");
  return is_known ? words : std::vector<std::string>();
}

}  // namespace

TraceCommand::TraceCommand(CLI::App& app) {
  CLI::App& trace = *app.add_subcommand("trace", "Record what interfaces do, frame by frame where they drop one.");
  trace.require_subcommand(1);
  node_.emplace(trace, chosen_of_node_);
  add_record(trace);
  add_reading(trace);
  CLI::App& list = *trace.add_subcommand("list", "The events there are, and their fields.");
  list.add_flag("-j,--json", json_, "print a JSON array, an object an event");
  list.callback([this] { chosen_ = [this](const RunRecorded&) { return this->list(); }; });
}

void TraceCommand::add_record(CLI::App& trace) {
  CLI::App& record =
      *trace.add_subcommand("record", "Record a running virtifd, or a command of virtifctl, into a file.");
  record.add_option("COMMAND", words_,
                    "behind --: virtifctl replay ..., virtifctl bridge ... or virtifctl fwu ...; none: what virtifd "
                    "does");
  node_->add_wish(record, TraceNodeCommand::Of::command);
  node_->add_duration(record);
  node_->add_socket(record);
  record.add_option("-o,--output", output_, "the file to write, for trace-cmd and KernelShark as well")
      ->type_name("FILE")
      ->capture_default_str();
  record
      .add_option("--marker", marker_,
                  "also write each event, as text, to this trace_marker of the kernel's: "
                  "/sys/kernel/tracing/trace_marker, or an instance's")
      ->type_name("FILE");
  record.callback([this] { chosen_ = [this](const RunRecorded& run_it) { return this->record(run_it); }; });
}

void TraceCommand::add_reading(CLI::App& trace) {
  CLI::App& report = *trace.add_subcommand("report", "Print what was recorded.");
  report.add_option("FILE", input_, "a trace.dat (version 6); - is standard input")->capture_default_str();
  report.add_flag("-j,--json", json_, "print a JSON array, an object an event");
  report.callback([this] { chosen_ = [this](const RunRecorded&) { return this->report(); }; });
  CLI::App& convert = *trace.add_subcommand("convert", "Write what was recorded for other tools.");
  convert.add_option("FILE", input_, "a trace.dat (version 6); - is standard input")->capture_default_str();
  convert
      .add_option("-o,--output", output_, "NAME.json for Chrome and Perfetto, NAME.ctf for babeltrace2: a new folder")
      ->type_name("NAME")
      ->required();
  convert.callback([this] { chosen_ = [this](const RunRecorded&) { return this->convert(); }; });
  CLI::App& salvage = *trace.add_subcommand("salvage", "Write the last events of a virtifd that died.");
  salvage.add_option("FOLDER", folder_, "what its --trace-dir was")->required();
  salvage.add_option("-o,--output", output_, "the file to write")->type_name("FILE")->capture_default_str();
  salvage.callback([this] { chosen_ = [this](const RunRecorded&) { return this->salvage(); }; });
}

int TraceCommand::run(const RunRecorded& run_recorded) {
  return chosen_of_node_ ? chosen_of_node_() : chosen_(run_recorded);
}

int TraceCommand::record(const RunRecorded& run_recorded) const {
  if (words_.empty()) return node_->record(output_, marker_);
  const std::vector<std::string> words = recorded_words(words_);
  if (words.empty()) {
    return failed(
        "trace record: expected, behind --, virtifctl replay ..., virtifctl bridge ... or virtifctl fwu ...: they run "
        "in one process",
        kUsage);
  }
  if (node_->has_duration()) {
    return failed("trace record: --duration is for virtifd; a command is recorded until it ends", kUsage);
  }
  std::optional<TraceMarker> marker;
  if (!marker_.empty()) {
    Result<TraceMarker> opened = TraceMarker::open(marker_);
    if (!opened) return failed("trace record: " + opened.error().text);
    marker = *std::move(opened);
  }
  const std::vector<std::string> patterns = node_->patterns();
  auto recorder =
      TraceRecorder::open({.patterns = patterns.empty() ? std::vector<std::string>{"*:*"} : patterns,
                           .filter = node_->filter(),
                           .buffer_kib = node_->buffer_kib().value_or(kBufferKibDefault),
                           .when_full = node_->overwrite() ? trace::WhenFull::overwrite : trace::WhenFull::discard,
                           .marker = marker ? &*marker : nullptr});
  if (!recorder) return failed("trace record: " + recorder.error().text, kUsage);
  if (const Status may = host::may_create(output_); !may) return failed("trace record: " + may.error().text);
  const int status = run_recorded(words, **recorder);
  const Result<host::ExportedTrace> written = (*recorder)->write(output_);
  if (!written) return failed("trace record: " + written.error().text);
  std::string text = fmt::format("{} events in {}", written->events, output_);
  if (written->lost != 0)
    text += fmt::format(", {} lost for want of room: a larger --buffer keeps those of up to 4056 bytes", written->lost);
  if (marker && marker->refused() != 0) text += fmt::format(", {} not taken by {}", marker->refused(), marker_);
  return failed(text, status);
}

int TraceCommand::report() const {
  return with_trace(input_, [this](trace::TraceDatReader& trace) -> Status {
    json_ ? print_report_json(trace) : print_report(trace);
    return {};
  });
}

int TraceCommand::convert() const {
  return with_trace(input_, [this](trace::TraceDatReader& trace) { return tools::convert(trace, output_); });
}

int TraceCommand::salvage() const {
  const Result<host::SalvagedTrace> saved = host::salvage(folder_, output_);
  if (!saved) return failed("trace salvage: " + saved.error().text);
  for (const Error& bad : saved->bad) (void)failed("trace salvage: left out: " + bad.text);
  std::string text = fmt::format("{} events in {}", saved->events, output_);
  if (saved->lost != 0) text += fmt::format(", {} before them were lost for want of room", saved->lost);
  return failed(text, saved->bad.empty() ? 0 : kFailed);
}

int TraceCommand::list() const {
  net::IfTrace of_interfaces;
  fwu::FwuTrace of_updates;
  cn::ProcTrace of_processes;
  const auto interfaces = of_interfaces.all();
  const auto updates = of_updates.all();
  const auto processes = of_processes.all();
  const EventGroup groups[] = {{"virtif", interfaces}, {"fwu", updates}, {"cn", processes}};
  json_ ? print_events_json(groups) : print_events(groups);
  return flushed();
}

}  // namespace vif::tools
