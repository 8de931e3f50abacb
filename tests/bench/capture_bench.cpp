// SPDX-License-Identifier: BSD-2-Clause
// Reading and writing captures beside libpcap, and beside the bare system calls that move the same bytes.
// capture_bench [rounds] [directory]: the time is the processor's. Use a directory in memory (tmpfs) and a release
// build.
#include <fcntl.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <cerrno>

#include "netstack/capture/capture_reader.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using vif::net::CaptureFormat;
using vif::net::CaptureFrame;

[[noreturn]] void give_up(const std::string& what) { vif::bench::give_up(what + ": " + std::strerror(errno)); }

void keep(const volatile void* value) { asm volatile("" ::"r"(value) : "memory"); }

class FdSource final : public vif::ByteSource {
 public:
  explicit FdSource(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) give_up(path);
  }
  ~FdSource() override { ::close(fd_); }
  vif::Result<std::size_t> read(vif::MutBytes into) override {
    const ssize_t bytes = ::read(fd_, into.data(), into.size());
    if (bytes < 0) return vif::fail(errno, "read");
    return static_cast<std::size_t>(bytes);
  }

 private:
  int fd_;
};

class FdSink final : public vif::ByteSink {
 public:
  explicit FdSink(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0) give_up(path);
  }
  ~FdSink() override { ::close(fd_); }
  vif::Status append(vif::Bytes bytes) override {
    if (::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      return vif::fail(errno, "write");
    return {};
  }

 private:
  int fd_;
};

// One file's contents. The second is small enough for the caches; the third is bound by memory, not by readers.
struct Load {
  const char* name;
  std::size_t frame_bytes;
  std::size_t frames;
};
constexpr Load kLoads[] = {
    {"64 B", 64, 1'000'000}, {"1514 B, 8 MB file", 1514, 5'000}, {"1514 B, 180 MB file", 1514, 120'000}};
constexpr std::size_t kFramesPerMeasurement = 100'000;  // a small file is passed over more than once

std::vector<std::byte> frame_data(std::size_t frame_bytes) {
  std::vector<std::byte> data(frame_bytes);
  for (std::size_t i = 0; i < frame_bytes; i++) data[i] = static_cast<std::byte>(i * 7);
  return data;
}

void write_ours(const std::string& path, CaptureFormat format, const Load& load) {
  const std::vector<std::byte> data = frame_data(load.frame_bytes);
  FdSink sink(path);
  vif::net::CaptureWriter writer(sink, format);
  if (!writer.add_interface("bench0", vif::net::kLinkTypeEthernet)) give_up("add_interface");
  CaptureFrame frame{.bytes = data,
                     .wire_bytes = static_cast<std::uint32_t>(load.frame_bytes),
                     .link_type = vif::net::kLinkTypeEthernet,
                     .has_time = true};
  for (std::size_t i = 0; i < load.frames; i++) {
    frame.timestamp_ns += 1000;
    if (!writer.write(frame)) give_up("write");
  }
  if (!writer.flush()) give_up("flush");
}

void write_libpcap(const std::string& path, const Load& load) {
  const std::vector<std::byte> data = frame_data(load.frame_bytes);
  pcap_t* pcap = pcap_open_dead(DLT_EN10MB, 262144);
  pcap_dumper_t* dumper = pcap_dump_open(pcap, path.c_str());
  if (!dumper) give_up("pcap_dump_open");
  pcap_pkthdr header{};
  header.caplen = header.len = static_cast<bpf_u_int32>(load.frame_bytes);
  for (std::size_t i = 0; i < load.frames; i++) {
    if (++header.ts.tv_usec == 1'000'000) header.ts = {header.ts.tv_sec + 1, 0};
    pcap_dump(reinterpret_cast<u_char*>(dumper), &header, reinterpret_cast<const u_char*>(data.data()));
  }
  pcap_dump_close(dumper);
  pcap_close(pcap);
}

void write_bare(const std::string& path, const Load& load) {
  const std::vector<std::byte> data(256 * 1024);
  FdSink sink(path);
  for (std::size_t left = load.frames * (load.frame_bytes + 16); left > 0;) {
    const std::size_t bytes = std::min(left, data.size());
    if (!sink.append({data.data(), bytes})) give_up("write");
    left -= bytes;
  }
}

void expect_frames(std::size_t frames, const Load& load) {
  if (frames != load.frames) give_up(std::to_string(frames) + " frames read, not " + std::to_string(load.frames));
}

void read_ours(const std::string& path, const Load& load) {
  FdSource source(path);
  auto reader = vif::net::CaptureReader::open(source);
  if (!reader) give_up(reader.error().text);
  std::array<CaptureFrame, 64> frames;
  std::size_t count = 0;
  for (;;) {
    const vif::Result<std::size_t> got = reader->read(frames);
    if (!got) give_up(got.error().text);
    if (*got == 0) break;
    for (const CaptureFrame& frame : std::span(frames).first(*got)) keep(frame.bytes.data());
    count += *got;
  }
  expect_frames(count, load);
}

void read_libpcap(const std::string& path, const Load& load, u_int precision) {
  char text[PCAP_ERRBUF_SIZE];
  pcap_t* pcap = pcap_open_offline_with_tstamp_precision(path.c_str(), precision, text);
  if (!pcap) give_up(text);
  pcap_pkthdr* header;
  const u_char* data;
  std::size_t count = 0;
  for (; pcap_next_ex(pcap, &header, &data) == 1; count++) keep(data);
  pcap_close(pcap);
  expect_frames(count, load);
}

void read_bare(const std::string& path) {
  FdSource source(path);
  std::vector<std::byte> data(256 * 1024);
  for (;;) {
    const vif::Result<std::size_t> got = source.read(data);
    if (!got) give_up("read");
    if (*got == 0) return;
  }
}

// Of this process, user and system: nothing here waits, and others on the machine must not count.
double ns_per_frame(const std::function<void()>& run, std::size_t frames) {
  const std::size_t passes = std::max<std::size_t>(kFramesPerMeasurement / frames, 1);
  const double begun = vif::bench::now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (std::size_t pass = 0; pass < passes; pass++) run();
  return (vif::bench::now_ns(CLOCK_PROCESS_CPUTIME_ID) - begun) / static_cast<double>(frames * passes);
}

// With the bar that libpcap's time over ours is held to.
void compare(const Load& load, const std::string& directory, int rounds) {
  const std::string pcap = directory + "/capture_bench.pcap", pcapng = directory + "/capture_bench.pcapng";
  const std::string written = directory + "/capture_bench.written";
  write_libpcap(pcap, load);
  write_ours(pcapng, CaptureFormat::pcapng, load);
  const auto run = [&](const char* what, double bar, auto ours, auto libpcap, auto bare) {
    const auto timed = [&](auto work) { return [=] { return ns_per_frame(work, load.frames); }; };
    vif::bench::Comparison(std::string("capture: ") + what + " " + load.name,
                           {{"ours", timed(ours)}, {"libpcap", timed(libpcap)}, {"bare calls", timed(bare)}},
                           {{"libpcap", bar}})
        .run(rounds);
  };
  const bool small = load.frame_bytes == 64;
  run(
      "read pcap", small ? 2.5 : 1.8, [=] { read_ours(pcap, load); },
      [=] { read_libpcap(pcap, load, PCAP_TSTAMP_PRECISION_MICRO); }, [=] { read_bare(pcap); });
  run(
      "read pcapng", 0, [=] { read_ours(pcapng, load); },
      [=] { read_libpcap(pcapng, load, PCAP_TSTAMP_PRECISION_NANO); }, [=] { read_bare(pcapng); });
  run(
      "write pcap", small ? 1.7 : 0, [=] { write_ours(written, CaptureFormat::pcap, load); },
      [=] { write_libpcap(written, load); }, [=] { write_bare(written, load); });
  run(
      "write pcapng (libpcap: pcap)", 0, [=] { write_ours(written, CaptureFormat::pcapng, load); },
      [=] { write_libpcap(written, load); }, [=] { write_bare(written, load); });
  for (const std::string& path : {pcap, pcapng, written}) ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  vif::bench::begin();
  vif::bench::print_calibration();
  for (const Load& load : kLoads) compare(load, argc > 2 ? argv[2] : "/dev/shm", rounds);
}
