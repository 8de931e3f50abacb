// SPDX-License-Identifier: BSD-2-Clause
// Where `virtifctl capture` writes: one file, standard output, or a ring of files of which the oldest goes when a new
// one is begun. Each file is whole: descriptions at its front, what was lost at its end. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netstack/capture/capture_writer.hpp"

namespace vif::tools {

struct CaptureRing {
  std::uint32_t files = 0;
  std::uint64_t file_bytes = 0;  // a file ends with the frame that makes it as long

  // "10x100M": how many files, of how many bytes each; k, M and G are powers of 1000. EINVAL says so.
  static Result<CaptureRing> parse(std::string_view text);
};

class CaptureTarget {
 public:
  struct Interface {
    std::string name, comment, filter;
    net::MacAddress address;
    std::uint32_t snap_bytes;
  };

  // `path`: "-" is standard output. A name that ends in .pcap makes that, any other pcapng. With a ring the files are
  // PATH with a number and the local time before its ending, as dumpcap names them. Errors: the host's.
  static Result<std::unique_ptr<CaptureTarget>> create(const std::string& path, const std::optional<CaptureRing>& ring,
                                                       std::vector<Interface> interfaces, FilesPort& files);

  // Errors here are the host's; up to there the file is whole.
  Status write(const net::CaptureFrame& frame, const net::CaptureMarks& marks);
  Status flush() { return writer_->flush(); }
  // Grows whenever all that has been written until now has reached the file; flush() makes sure of it.
  std::uint64_t appends() const { return appends_; }
  // The last thing written, one for each interface.
  Status end(std::span<const net::CaptureStatistics> statistics);

  // Ask before each frame; true: next_file(), with what came of the frames until now.
  bool is_full() const { return ring_ && writer_->bytes() >= ring_->file_bytes; }
  Status next_file(std::span<const net::CaptureStatistics> statistics);

  const std::string& path() const { return path_; }  // of the file written now

 private:
  CaptureTarget(const std::string& path, const std::optional<CaptureRing>& ring, std::vector<Interface> interfaces,
                FilesPort& files)
      : base_(path), ring_(ring), interfaces_(std::move(interfaces)), files_(files) {}
  Status begin();
  std::string name_of(std::uint32_t number) const;

  const std::string base_;
  const std::optional<CaptureRing> ring_;
  const std::vector<Interface> interfaces_;
  FilesPort& files_;
  std::string path_;
  std::uint64_t appends_ = 0;
  std::unique_ptr<ByteSink> sink_;
  std::optional<net::CaptureWriter> writer_;
  std::uint32_t number_ = 0;      // of the file, from 1
  std::deque<std::string> kept_;  // of the ring, the oldest first
};

}  // namespace vif::tools
