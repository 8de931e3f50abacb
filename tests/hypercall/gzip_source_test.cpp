// SPDX-License-Identifier: BSD-2-Clause
// Packed files, whole and in every way broken, in pieces of any size. The packing here is zlib's own.
#include "hypercall/gzip_source.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "hypercall/sim/sim_files.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::sim::SimFile;

Frame gzip(const Frame& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Frame packed(plain.size() + 1000);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

struct Unpacked {
  Frame bytes;
  int error = 0;
  std::string text;
};

class Gzip : public testing::Test {
 protected:
  // Reads `into_bytes` at a time; a failing stream must say the same twice.
  Unpacked unpack(const Frame& file, std::size_t into_bytes = 1000) {
    packed().bytes = file;
    Unpacked all;
    auto source = host::unpack_if_gzip(std::move(*files.open_source("a.gz")), "a.gz");
    if (!source) return {{}, source.error().number(), source.error().text};
    Frame piece(into_bytes);
    for (;;) {
      const Result<std::size_t> n = (*source)->read(piece);
      if (n && *n > 0) {
        all.bytes.insert(all.bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
        continue;
      }
      const Result<std::size_t> again = (*source)->read(piece);
      EXPECT_EQ(n.has_value(), again.has_value());
      if (!n) all.error = n.error().number(), all.text = n.error().text;
      else EXPECT_EQ(*again, 0U);
      return all;
    }
  }
  SimFile& packed() { return files.file("a.gz"); }
  static bool is_prefix(const Frame& part, const Frame& whole) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
  }

  host::sim::SimFiles files;
};

TEST_F(Gzip, leaves_other_files_as_they_are) {
  for (const Frame& plain : {Frame{}, hex("1f"), hex("1f8a"), hex("8b1f"), counting(100'000)}) {
    for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
      packed().read_bytes_max = piece;
      const Unpacked all = unpack(plain);
      EXPECT_EQ(all.bytes, plain);
      EXPECT_EQ(all.error, 0);
    }
  }
}

TEST_F(Gzip, unpacks_in_pieces_of_any_size) {
  const Frame plain = counting(300'000);
  const Frame file = gzip(plain);
  for (const std::size_t piece : {1UL, 2UL, 3UL, 1000UL, SimFile::kNever}) {
    packed().read_bytes_max = piece;
    for (const std::size_t into : {1UL, 7UL, 4096UL, 1'000'000UL}) {
      const Unpacked all = unpack(file, into);
      ASSERT_TRUE(all.bytes == plain) << piece << " " << into;
      ASSERT_EQ(all.error, 0) << all.text;
    }
  }
}

TEST_F(Gzip, unpacks_any_number_of_members) {
  const Frame a = counting(5000), b = counting(17);
  const Frame file = gzip(a) + gzip({}) + gzip(b) + gzip({}) + gzip(a);
  for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
    packed().read_bytes_max = piece;
    const Unpacked all = unpack(file);
    EXPECT_EQ(all.error, 0) << all.text;
    EXPECT_TRUE(all.bytes == a + b + a);
  }
  EXPECT_TRUE(unpack(gzip({})).bytes.empty());
}

// gzip(1): "decompression OK, trailing garbage ignored". But a second member that is cut off behind its magic is
// damage.
TEST_F(Gzip, ignores_what_follows_the_last_member) {
  const Frame plain = counting(500);
  for (const Frame& garbage :
       {Frame(1), Frame(512), hex("00 1f8b08"), hex("1f"), hex("1f00"), hex("1f1f8b08"), hex("48656c6c6f")}) {
    for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
      packed().read_bytes_max = piece;
      const Unpacked all = unpack(gzip(plain) + garbage);
      EXPECT_EQ(all.error, 0) << all.text << " for garbage of " << garbage.size();
      EXPECT_EQ(all.bytes, plain);
    }
  }
}

TEST_F(Gzip, notices_a_second_member_that_is_cut_off) {
  for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
    packed().read_bytes_max = piece;
    for (const Frame& begun : {hex("1f8b"), hex("1f8b08"), hex("1f8b0000")}) {
      const Unpacked all = unpack(gzip(counting(500)) + begun);
      EXPECT_EQ(all.error, EBADMSG);
      EXPECT_EQ(all.bytes, counting(500));
    }
  }
}

TEST_F(Gzip, gives_what_came_before_the_end_of_a_truncated_file) {
  const Frame plain = counting(400), file = gzip(plain);
  for (std::size_t bytes = 2; bytes < file.size(); ++bytes) {
    const Unpacked all = unpack({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(bytes)}, 64);
    ASSERT_EQ(all.error, EBADMSG) << "cut to " << bytes;
    ASSERT_NE(all.text.find("a.gz"), std::string::npos);
    ASSERT_TRUE(is_prefix(all.bytes, plain));
  }
}

// A changed byte is noticed, or does not matter: the header's time, system and hints, padding bits.
TEST_F(Gzip, notices_damage_at_every_offset) {
  const Frame plain = counting(400), file = gzip(plain);
  for (std::size_t at = 2; at < file.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      Frame damaged = file;
      damaged[at] ^= static_cast<std::byte>(flip);
      const Unpacked all = unpack(damaged, 64);
      if (all.error == 0) EXPECT_EQ(all.bytes, plain) << "byte " << at;
      else EXPECT_EQ(all.error, EBADMSG) << all.text;
    }
  }
}

TEST_F(Gzip, passes_on_why_reading_failed) {
  const Frame plain = counting(400), file = gzip(plain);
  packed().read_errno = ESTALE;
  for (std::size_t at = 0; at < file.size(); ++at) {
    packed().read_fails_at = at;
    packed().read_bytes_max = 50;
    const Unpacked all = unpack(file, 64);
    ASSERT_EQ(all.error, ESTALE) << "at " << at;
    ASSERT_TRUE(is_prefix(all.bytes, plain));
  }
}

}  // namespace
