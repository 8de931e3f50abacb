// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_dat.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "hypercall/host_error.hpp"
#include "hypercall/unique_fd.hpp"
#include "hypercall/write_all.hpp"

namespace vif::host {

Result<ExportedTrace> write_trace_dat(trace::Session& session, std::span<const trace::ThreadName> threads,
                                      const std::string& path) {
  const std::vector<trace::RecordedEvent> events = session.events();
  std::vector<std::uint64_t> ring_pages(session.readers().size());
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  const auto write_head = [&] {
    const std::string head = trace::trace_dat_head(events, threads, ring_pages);
    return ::lseek(file.get(), 0, SEEK_SET) == 0 && write_all(file.get(), as_bytes(std::string_view(head)));
  };
  // For its length: how many pages there are comes out now.
  if (!file || !write_head()) return host_error(path);
  ExportedTrace exported{0, 0};
  for (std::size_t ring = 0; ring < ring_pages.size(); ++ring) {
    trace::RingReader& reader = *session.readers()[ring];
    const std::uint64_t before = reader.taken();
    for (trace::RingReader::Page page; reader.next(page, trace::Take::everything); ++ring_pages[ring]) {
      if (!write_all(file.get(), std::as_bytes(std::span(page)))) return host_error(path);
    }
    exported.events += reader.taken() - before;
  }
  if (!write_head() || ::close(file.release()) != 0) return host_error(path);
  exported.lost = session.take_lost();
  return exported;
}

ExportedTrace throw_away(trace::Session& session) {
  for (const auto& ring : session.readers()) {
    // To its end: what was written over is known there.
    for (trace::RingReader::Page page; ring->next(page, trace::Take::everything);) continue;
  }
  return {0, session.take_lost()};
}

}  // namespace vif::host
