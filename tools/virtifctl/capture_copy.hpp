// SPDX-License-Identifier: BSD-2-Clause
// Writes the frames an interface passed up to a capture file. What a full disk leaves behind is a valid file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "netstack/capture/capture_writer.hpp"
#include "netstack/mbuf.hpp"

namespace vif::tools {

class CaptureCopy {
 public:
  // Errors: the host's, when the file cannot be made.
  static Result<std::unique_ptr<CaptureCopy>> create(const std::string& path, FilesPort& files);

  Status add(const net::Mbuf& packet);
  // Everything added is in the file. Errors, as add's: the host's; later calls return it again.
  Status flush() { return writer_.flush(); }

 private:
  CaptureCopy(std::unique_ptr<ByteSink> sink, net::CaptureFormat format)
      : sink_(std::move(sink)), writer_(*sink_, format) {}

  std::unique_ptr<ByteSink> sink_;
  net::CaptureWriter writer_;
  std::vector<std::byte> whole_;  // a frame that comes in pieces
};

}  // namespace vif::tools
