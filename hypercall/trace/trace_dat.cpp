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
  ExportedTrace exported{0, session.lost_without_ring()};
  for (std::size_t ring = 0; ring < ring_pages.size(); ++ring) {
    trace::RingReader& reader = *session.readers()[ring];
    const std::uint64_t before = reader.taken();
    for (trace::RingReader::Page page; reader.next(page, trace::Take::everything); ++ring_pages[ring]) {
      if (!write_all(file.get(), std::as_bytes(std::span(page)))) return host_error(path);
    }
    exported.events += reader.taken() - before;
    exported.lost += reader.lost();
  }
  if (!write_head() || ::close(file.release()) != 0) return host_error(path);
  return exported;
}

}  // namespace vif::host
