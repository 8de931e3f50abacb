// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_dat.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

namespace vif::host {

Result<ExportedTrace> write_trace_dat(trace::Session& session, std::span<const trace::ThreadName> threads,
                                      const std::string& path) {
  const std::vector<trace::RecordedEvent> events = session.events();
  std::vector<std::uint64_t> ring_pages(session.readers().size());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) return fail(errno, path + ": " + std::generic_category().message(errno));
  file << trace::trace_dat_head(events, threads, ring_pages);  // for its length: how many pages there are comes out now
  ExportedTrace exported{0, session.lost_without_ring()};
  for (std::size_t ring = 0; ring < ring_pages.size(); ++ring) {
    trace::RingReader& reader = *session.readers()[ring];
    const std::uint64_t before = reader.taken();
    for (trace::RingReader::Page page; reader.next(page, trace::Take::everything); ++ring_pages[ring]) {
      file.write(reinterpret_cast<const char*>(page.data()), page.size());
    }
    exported.events += reader.taken() - before;
    exported.lost += reader.lost();
  }
  file.seekp(0);
  file << trace::trace_dat_head(events, threads, ring_pages);
  file.close();
  if (!file) return fail(EIO, path + " could not be written to its end");
  return exported;
}

}  // namespace vif::host
