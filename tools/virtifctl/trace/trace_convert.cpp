// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_convert.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "hypercall/linux_ports.hpp"
#include "services/trace/ctf_writer.hpp"
#include "tools/virtifctl/trace/trace_print.hpp"

namespace vif::tools {
namespace {

using trace::TraceDatReader;
using Json = nlohmann::ordered_json;

constexpr std::size_t kPieceBytes = 1 << 20;

// Chrome's trace format, docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: JSON objects.
class ChromeFile {
 public:
  explicit ChromeFile(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)) {}

  Status add(const TraceDatReader& trace, const TraceDatReader::Record& record) {
    if (named_.insert(record.thread_id).second) {
      put({{"name", "thread_name"},
           {"ph", "M"},
           {"pid", record.thread_id},
           {"tid", record.thread_id},
           {"args", {{"name", trace.thread_name(record.thread_id)}}}});
    }
    if (record.lost_before != 0) instant(record, "EVENTS DROPPED", "lost", {{"events", record.lost_before}});
    lost_ += record.lost_before;
    Json values = Json::object();
    for (const trace::Field& field : record.event->format.fields) {
      values[field.name] = value_json(trace::field_value(field, record.record));
    }
    instant(record, record.event->name, record.event->system, std::move(values));
    return text_.size() < kPieceBytes ? Status() : flush();
  }

  Status finish() {
    text_ += fmt::format("{}],\n\"displayTimeUnit\":\"ns\",\"otherData\":{{\"lost_events\":{}}}}}\n",
                         is_first_ ? "{\"traceEvents\":[" : "\n", lost_);
    return flush();
  }

 private:
  void instant(const TraceDatReader::Record& record, const std::string& name, const std::string& category,
               Json values) {
    put({{"name", name},
         {"cat", category},
         {"ph", "i"},
         {"s", "t"},
         {"ts", static_cast<double>(record.time_ns) / 1000},  // us; a double holds ns for 104 days
         {"pid", record.thread_id},
         {"tid", record.thread_id},
         {"args", std::move(values)}});
  }
  void put(const Json& event) {
    text_ += is_first_ ? "{\"traceEvents\":[\n" : ",\n";
    text_ += dump(event);
    is_first_ = false;
  }
  Status flush() {
    Status done = sink_->append(as_bytes(text_));
    text_.clear();
    return done;
  }

  std::unique_ptr<ByteSink> sink_;
  std::string text_;
  std::set<std::int32_t> named_;
  std::uint64_t lost_ = 0;
  bool is_first_ = true;
};

Status write_chrome(TraceDatReader& trace, const std::string& path) {
  host::LinuxFiles files;
  Result<std::unique_ptr<ByteSink>> sink = files.create_sink(path);
  if (!sink) return std::move(sink).error();
  ChromeFile file(*std::move(sink));
  for (TraceDatReader::Record record{}; trace.next(record);) {
    if (Status done = file.add(trace, record); !done) return done;
  }
  return file.finish();
}

Status write_ctf(TraceDatReader& trace, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::create_directory(path, error)) {
    if (error) return Error{error, path + ": " + error.message()};
    return fail(EEXIST, path + " is there already: expected the name of a new folder");
  }
  host::LinuxFiles files;
  Result<std::unique_ptr<ByteSink>> metadata = files.create_sink(path + "/metadata");
  if (!metadata) return std::move(metadata).error();
  if (Status done = (*metadata)->append(as_bytes(trace::ctf_metadata(trace.events()))); !done) return done;
  std::vector<trace::CtfStream> streams;
  for (std::size_t cpu = 0; cpu < trace.cpus(); ++cpu) {
    Result<std::unique_ptr<ByteSink>> sink = files.create_sink(fmt::format("{}/cpu{}", path, cpu));
    if (!sink) return std::move(sink).error();
    streams.emplace_back(*std::move(sink), cpu);
  }
  for (TraceDatReader::Record record{}; trace.next(record);) {
    if (Status done = streams[record.cpu].add(record); !done) return done;
  }
  for (trace::CtfStream& stream : streams) {
    if (Status done = stream.finish(); !done) return done;
  }
  return {};
}

}  // namespace

Status convert(TraceDatReader& trace, const std::string& path) {
  if (path.ends_with(".json")) return write_chrome(trace, path);
  if (path.ends_with(".ctf")) return write_ctf(trace, path);
  return fail(EINVAL, "-o " + path + ": expected a name that ends in .json (Chrome, Perfetto) or .ctf (babeltrace2)");
}

}  // namespace vif::tools
