// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_recorder.hpp"

#include <unistd.h>

#include <cerrno>

#include "hypercall/trace/trace_dat_file.hpp"

namespace vif::tools {
namespace {

constexpr const char* kGroup = "virtif";
constexpr const char* kUpdates = "fwu";

}  // namespace

TraceRecorder::TraceRecorder() : writer_(::gettid(), clock_) {}

TraceRecorder::~TraceRecorder() = default;

Result<std::unique_ptr<TraceRecorder>> TraceRecorder::open(const Settings& settings) {
  std::unique_ptr<TraceRecorder> recorder(new TraceRecorder);
  auto tracing = trace::Tracing::open(recorder->pages_);
  if (!tracing) return std::move(tracing).error();
  recorder->tracing_ = *std::move(tracing);
  auto keep = host::OwnEvents::attach(*recorder->tracing_, kGroup, recorder->known_.all(), recorder->writer_);
  if (!keep) return std::move(keep).error();
  recorder->keep_ = *std::move(keep);
  keep = recorder->attach(recorder->known_of_updates_);
  if (!keep) return std::move(keep).error();
  recorder->keep_of_updates_ = *std::move(keep);
  auto session = trace::Session::open(
      *recorder->tracing_, recorder->pages_,
      {.when_full = settings.when_full, .ring_pages = settings.buffer_kib * 1024 / trace::kPageBytes});
  if (!session) return std::move(session).error();
  recorder->session_ = *std::move(session);
  for (const std::string& pattern : settings.patterns) {
    const Result<std::size_t> enabled = recorder->session_->enable(pattern, settings.filter);
    if (!enabled) return enabled.error();
    if (*enabled == 0) {
      return fail(EINVAL, "no event is of '" + pattern + "'; `virtifctl trace list` shows what there is");
    }
  }
  if (Status added = recorder->session_->add_writer(recorder->writer_); !added) return std::move(added).error();
  if (settings.marker == nullptr) return recorder;
  auto marks = MarkProbe::open(*recorder->tracing_, *settings.marker, settings.filter);
  if (!marks) return std::move(marks).error();
  recorder->marks_ = *std::move(marks);
  return recorder;
}

Result<std::unique_ptr<host::OwnEvents>> TraceRecorder::attach(net::Domain& domain) {
  return host::OwnEvents::attach(*tracing_, kGroup, domain.trace().all(), writer_);
}

Result<std::unique_ptr<host::OwnEvents>> TraceRecorder::attach(fwu::FwuTrace& update) {
  return host::OwnEvents::attach(*tracing_, kUpdates, update.all(), writer_);
}

Result<std::unique_ptr<host::OwnEvents>> record_domain(TraceRecorder* recorder, net::Domain& domain) {
  if (recorder == nullptr) return std::unique_ptr<host::OwnEvents>();
  return recorder->attach(domain);
}

Result<host::ExportedTrace> TraceRecorder::write(const std::string& path) {
  session_->stop();
  const trace::ThreadName thread{writer_.thread_id(), "virtifctl"};
  Result<host::TraceDatFile> file = host::TraceDatFile::create(path);  // one that can be a pipe
  if (!file) return std::move(file).error();
  trace::RingReader::Page page;
  while (session_->readers().front()->next(page, trace::Take::everything)) {
    if (Status added = file->add(0, page); !added) return std::move(added).error();
  }
  const std::uint64_t events = file->events();
  if (Status finished = file->finish(session_->events(), std::span(&thread, 1)); !finished) {
    return std::move(finished).error();
  }
  return host::ExportedTrace{events, session_->take_lost()};
}

}  // namespace vif::tools
