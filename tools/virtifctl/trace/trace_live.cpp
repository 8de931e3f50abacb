// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_live.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>

#include "hypercall/host_error.hpp"
#include "hypercall/trace/trace_dat_file.hpp"
#include "services/trace/trace_dat_reader.hpp"
#include "tools/virtifctl/end_on_signals.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/trace/trace_marker.hpp"
#include "tools/virtifctl/trace/trace_print.hpp"
#include "tools/virtifctl/trace/trace_source.hpp"

namespace vif::tools {
namespace {

using host::TraceItem;

// What to do with what comes.
class Taker {
 public:
  virtual ~Taker() = default;
  virtual Status page(std::uint32_t ring, Bytes page) = 0;
  virtual Status finish() = 0;

  Status head(Bytes bytes) {
    Result<trace::TraceDatReader> read = trace::TraceDatReader::open(bytes);
    if (!read) return fail(EPROTO, "this is no virtifd: " + read.error().text);
    events_.clear();
    threads_.clear();
    for (const auto& [type, event] : read->events()) events_.push_back(event);
    for (const auto& [thread, name] : read->threads()) threads_.push_back({thread, name});
    return {};
  }
  std::uint64_t lost = 0;
  bool is_whole = false;  // the end has come

 protected:
  // Reads a page as a trace.dat of its own.
  Status read_page(std::uint32_t ring, Bytes page, const std::function<void(trace::TraceDatReader&)>& reader) const {
    std::vector<std::uint64_t> pages(ring + 1);
    pages[ring] = 1;
    std::string file = trace::trace_dat_head(events_, threads_, pages);
    const std::size_t head_bytes = file.size();
    file.append(reinterpret_cast<const char*>(page.data()), page.size());
    file.resize(head_bytes + trace::kPageBytes, '\0');
    Result<trace::TraceDatReader> trace = trace::TraceDatReader::open(as_bytes(file));
    if (!trace) return trace.error();
    reader(*trace);
    return {};
  }

  std::vector<trace::RecordedEvent> events_;
  std::vector<trace::ThreadName> threads_;
};

class IntoFile final : public Taker {
 public:
  IntoFile(host::TraceDatFile& file, std::optional<TraceMarker> marker) : file_(file), marker_(std::move(marker)) {}
  Status page(std::uint32_t ring, Bytes page) override {
    Status added = file_.add(ring, page);
    is_written_ &= static_cast<bool>(added);
    if (!added || !marker_) return added;
    return read_page(ring, page, [this](trace::TraceDatReader& trace) {
      for (trace::TraceDatReader::Record record; trace.next(record);) {
        marker_->write(record.event->name, record.event->format, record.record);
      }
    });
  }
  std::uint64_t refused() const { return marker_ ? marker_->refused() : 0; }
  Status finish() override {
    Status finished = file_.finish(events_, threads_);
    is_written_ &= static_cast<bool>(finished);
    return finished;
  }
  bool is_written() const { return is_written_; }

 private:
  bool is_written_ = true;  // all of it
  host::TraceDatFile& file_;
  std::optional<TraceMarker> marker_;
};

class Printed final : public Taker {
 public:
  explicit Printed(bool json) : json_(json) {}

  Status page(std::uint32_t ring, Bytes page) override {
    const auto print = json_ ? print_records_json : print_records;
    if (Status read = read_page(ring, page, print); !read) return read;
    return finish();
  }
  Status finish() override {
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
    if (errno == 0) errno = EIO;
    return host::host_error("the events could not be written");
  }

 private:
  bool json_;
};

Status take_all(TraceSource& source, Taker& taker) {
  for (;;) {
    const Result<std::optional<TraceItem>> item = source.next();
    if (!item) return item.error();
    if (!*item) return {};
    Status taken;
    if ((**item).kind == TraceItem::Kind::head) taken = taker.head((**item).body);
    else if ((**item).kind == TraceItem::Kind::page) taken = taker.page((**item).ring, (**item).body);
    else taker.lost = host::lost_of(**item), taker.is_whole = true;
    if (!taken) return taken;
  }
}

Status take_until_end(TraceSource& source, Taker& taker, const TraceLiveJob& job) {
  const EndOnSignals signals(source.fd());
  TraceSource::Deadline deadline;
  if (job.duration) {
    deadline = std::chrono::steady_clock::now() +
               std::chrono::duration_cast<std::chrono::steady_clock::duration>(*job.duration);
  }
  for (;;) {
    if (Status taken = take_all(source, taker); !taken) return taken;
    const Result<bool> more = source.read(deadline);
    if (!more) return more.error();
    if (*more) continue;
    return taker.is_whole ? Status() : fail(ECONNRESET, "virtifd has ended");
  }
}

int refused(const Error& error) { return failed("trace: " + error.text, error.number() == EINVAL ? kUsage : kFailed); }

// The exit status of what was taken, as far as it came.
int ended(Status ran, Taker& taker) {
  const bool is_heard = ran || ran.error().number() != EPIPE;
  if (Status finished = taker.finish(); ran && !finished) ran = std::move(finished);
  if (!ran && is_heard) return failed(ran.error());
  return 0;
}

}  // namespace

int run_trace_live(const TraceLiveJob& job) {
  ::signal(SIGPIPE, SIG_IGN);  // said by write(2)
  std::optional<TraceMarker> marker;
  if (!job.marker.empty()) {
    Result<TraceMarker> opened = TraceMarker::open(job.marker);
    if (!opened) return failed("trace record: " + opened.error().text);
    marker = *std::move(opened);
  }
  if (job.output.empty()) {
    Result<TraceSource> source = TraceSource::open(job.socket_path, job.method, job.params);
    if (!source) return refused(source.error());
    Printed printed(job.json);
    const int status = ended(take_until_end(*source, printed, job), printed);
    if (printed.lost == 0) return status;
    return failed(fmt::format("{} events were lost for want of room: a larger --buffer keeps more", printed.lost),
                  status);
  }
  // First: what virtifd gives it does not have any more.
  Result<host::TraceDatFile> file = host::TraceDatFile::create(job.output);
  if (!file) return failed("trace: " + file.error().text);
  Result<TraceSource> source = TraceSource::open(job.socket_path, job.method, job.params);
  if (!source) {
    file->drop();
    return refused(source.error());
  }
  if (job.method == "trace.record" && !job.duration) {
    fmt::print(stderr, "virtifctl: recording virtifd; interrupt to end\n");
  }
  IntoFile into(*file, std::move(marker));
  const int status = ended(take_until_end(*source, into, job), into);
  if (!into.is_written() && job.method == "trace.extract") {
    return failed("what was taken of virtifd's buffers for " + job.output + " is lost", status);
  }
  if (!into.is_written()) return status;
  std::string text = fmt::format("{} events in {}", file->events(), job.output);
  if (into.lost != 0)
    text += fmt::format(", {} lost for want of room: a larger --buffer keeps those of up to 4056 bytes", into.lost);
  if (into.refused() != 0) text += fmt::format(", {} not taken by {}", into.refused(), job.marker);
  return failed(text, status);
}

}  // namespace vif::tools
