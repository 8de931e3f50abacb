// SPDX-License-Identifier: BSD-2-Clause
// Real captures that nobody here wrote, against counts made by an independent parser. The files are not part of the
// source tree: without them the test is skipped and says so.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

using Json = nlohmann::json;

const std::filesystem::path kCorpus = std::filesystem::path(VIF_SOURCE_ROOT) / ".." / "shared" / "corpus";

// gzip is the host's business, so the test unpacks it; other files pass through unchanged.
std::vector<std::byte> unpacked(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> piece;
  for (int count; file && (count = gzread(file.get(), piece.data(), piece.size())) > 0;) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + count);
  }
  return bytes;
}

// Over, for each frame, its captured length as 4 bytes big-endian, then its bytes.
std::string sha256_of(const std::vector<KeptFrame>& frames) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const KeptFrame& frame : frames) {
    std::byte length[4];
    store_be32(length, static_cast<std::uint32_t>(frame.bytes.size()));
    EVP_DigestUpdate(context.get(), length, sizeof length);
    EVP_DigestUpdate(context.get(), frame.bytes.data(), frame.bytes.size());
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned bytes = 0;
  EVP_DigestFinal_ex(context.get(), digest, &bytes);
  std::string text;
  for (unsigned i = 0; i < bytes; i++) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

// Truth has no limits (numbers beyond 64 bits arrive as floating point), our times stop at the ends of int64.
std::int64_t time_ns_of(const Json& truth) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (!truth.is_number_float()) return truth.get<std::int64_t>();
  return truth.get<double>() > 0 ? Limits::max() : Limits::min();
}

void expect_times(const WholeFile& whole, const Json& time) {
  std::vector<std::int64_t> times;
  for (const KeptFrame& frame : whole.frames) {
    if (frame.has_time) times.push_back(frame.timestamp_ns);
  }
  EXPECT_EQ(whole.frames.size() - times.size(), time["frames_without_time"].get<std::size_t>());
  if (times.empty()) return;
  EXPECT_EQ(times.front(), time_ns_of(time["first_ns"]));
  EXPECT_EQ(times.back(), time_ns_of(time["last_ns"]));
  std::size_t steps_backward = 0;
  for (std::size_t i = 1; i < times.size(); i++) steps_backward += times[i] < times[i - 1];
  EXPECT_EQ(steps_backward, time["steps_backward"].get<std::size_t>());
}

void expect_interfaces(const WholeFile& whole, const Json& interfaces) {
  ASSERT_EQ(whole.interfaces.size(), interfaces.size());
  std::vector<std::size_t> frames(interfaces.size());
  for (const KeptFrame& frame : whole.frames) frames.at(frame.interface)++;
  for (std::size_t i = 0; i < interfaces.size(); i++) {
    EXPECT_EQ(whole.interfaces[i].link_type, interfaces[i]["linktype"].get<std::uint32_t>()) << i;
    EXPECT_EQ(whole.interfaces[i].snap_bytes, interfaces[i]["snaplen"].get<std::uint32_t>()) << i;
    EXPECT_EQ(whole.interfaces[i].name, interfaces[i]["name"].get<std::string>()) << i;
    EXPECT_EQ(frames[i], interfaces[i]["frames"].get<std::size_t>()) << i;
  }
}

void expect_truth(const WholeFile& whole, const Json& truth) {
  const bool is_damaged = !truth["format"]["error"].get<std::string>().empty();
  EXPECT_EQ(whole.error.has_value(), is_damaged) << whole.text();
  ASSERT_EQ(whole.frames.size(), truth["frames"].get<std::size_t>());
  std::size_t captured_bytes = 0, wire_bytes = 0;
  for (const KeptFrame& frame : whole.frames) {
    captured_bytes += frame.bytes.size();
    wire_bytes += frame.wire_bytes;
  }
  EXPECT_EQ(captured_bytes, truth["captured_bytes"].get<std::size_t>());
  EXPECT_EQ(wire_bytes, truth["wire_bytes"].get<std::size_t>());
  EXPECT_EQ(sha256_of(whole.frames), truth["sha256_all_frames"].get<std::string>());
  expect_times(whole, truth["time"]);
  expect_interfaces(whole, truth["format"]["interface_list"]);
}

// Read, written as pcapng, read again: the same frames on the same interfaces.
void expect_round_trip(const WholeFile& whole) {
  MemorySink sink;
  net::CaptureWriter writer(sink, net::CaptureFormat::pcapng);
  for (const net::CaptureInterface& interface : whole.interfaces) {
    ASSERT_TRUE(writer.add_interface(interface.name, interface.link_type));
  }
  for (const KeptFrame& frame : whole.frames) ASSERT_TRUE(writer.write(frame.view()));
  ASSERT_TRUE(writer.flush());
  WholeFile again = read_whole(sink.file());
  ASSERT_EQ(again.frames.size(), whole.frames.size());
  for (std::size_t i = 0; i < again.frames.size(); i++) {
    again.frames[i].has_time = whole.frames[i].has_time;  // pcapng keeps that on interface 0 only
    ASSERT_EQ(again.frames[i], whole.frames[i]) << i;
  }
}

TEST(Corpus, is_read_as_counted) {
  std::ifstream truth_file(kCorpus / "ground-truth.json");
  if (!truth_file) GTEST_SKIP() << "no captures in ../shared/corpus beside the source tree";
  const Json truth = Json::parse(truth_file);
  std::size_t files = 0, frames = 0;
  for (const auto& [name, file_truth] : truth["files"].items()) {
    SCOPED_TRACE(name);
    const std::vector<std::byte> file = unpacked(kCorpus / name);
    const WholeFile whole = read_whole(file);
    expect_truth(whole, file_truth);
    EXPECT_EQ(read_whole(file, {1, 2, 3, 7, 4096}, 3).frames, whole.frames);
    expect_round_trip(whole);
    files++;
    frames += whole.frames.size();
  }
  std::printf("%zu files, %zu frames\n", files, frames);
  EXPECT_EQ(frames, truth["totals"]["frames"].get<std::size_t>());
}

}  // namespace
}  // namespace vif::test
