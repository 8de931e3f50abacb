// SPDX-License-Identifier: BSD-2-Clause
// What must come back, read from a capture: whole Ethernet frames, and which side each is of.
#include "netstack/capture/capture_reader.hpp"
#include "netstack/replay/expectation.hpp"

namespace vif::net {

Result<std::vector<ExpectedFrame>> Expectation::load(FilesPort& files, const std::string& path,
                                                     const BpfProgram& select, std::optional<FrameSplitter> splitter) {
  Result<std::unique_ptr<ByteSource>> source = files.open_source(path);
  if (!source) return std::move(source).error();
  Result<CaptureReader> reader = CaptureReader::open(**source);
  const auto named = [&](const Error& error) { return fail(error.number(), path + ": " + error.text); };
  if (!reader) return named(reader.error());
  std::vector<ExpectedFrame> frames;
  FrameSelector selector(select);
  std::array<CaptureFrame, 64> batch;
  for (;;) {
    const Result<std::size_t> n = reader->read(batch);
    if (!n) return named(n.error());
    if (*n == 0) return frames;
    for (const CaptureFrame& frame : std::span(batch).first(*n)) {
      const ReplaySide side = splitter ? splitter->side_of(frame.bytes, frame.interface) : ReplaySide::clients;
      if (!selector.wants(frame.bytes)) continue;
      if (frame.link_type != kLinkTypeEthernet || frame.wire_bytes > frame.bytes.size()) {
        return fail(std::errc::invalid_argument, path + ": frame " + std::to_string(frames.size() + 1) +
                                                     " is not a whole Ethernet frame: expected only such");
      }
      frames.push_back({{frame.bytes.begin(), frame.bytes.end()},
                        frame.has_time ? std::optional(frame.timestamp_ns) : std::nullopt,
                        side,
                        frames.size() + 1});
    }
  }
}

}  // namespace vif::net
