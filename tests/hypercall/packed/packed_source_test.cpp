// SPDX-License-Identifier: BSD-2-Clause
// Packed files, whole and in every way broken, in pieces of any size. The packing here is zlib's and libzstd's own.
#include "hypercall/packed/packed_source.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "hypercall/packed/zstd_source.hpp"
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

// As zstd(1) does, with a checksum; in pieces, so that the frame does not say how long it is, with a window of 2^`log`.
Frame zstd_window(const Frame& plain, int log) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
  Frame packed(ZSTD_compressBound(plain.size()) + 1000);
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  ZSTD_inBuffer in{plain.data(), plain.size() / 2, 0}, nothing{nullptr, 0, 0};
  EXPECT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush)));
  in.size = plain.size();
  EXPECT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
  EXPECT_EQ(ZSTD_compressStream2(context, &out, &nothing, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  packed.resize(out.pos);
  return packed;
}
Frame zstd(const Frame& plain) { return zstd_window(plain, 17); }

struct Unpacked {
  Frame bytes;
  int error = 0;
  std::string text;
};

struct Packing {
  const char* name;
  Frame (*pack)(const Frame& plain);
  std::size_t magic_bytes;
};

class PackedFile {
 public:
  // Reads `into_bytes` at a time; a failing stream must say the same twice.
  Unpacked unpack(const Frame& file, std::size_t into_bytes = 1000) {
    packed().bytes = file;
    Unpacked all;
    auto source = host::unpack_if_packed(std::move(*files.open_source("a.packed")), "a.packed");
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
  SimFile& packed() { return files.file("a.packed"); }
  static bool is_prefix(const Frame& part, const Frame& whole) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
  }

  host::sim::SimFiles files;
};

class Packed : public PackedFile, public testing::TestWithParam<Packing> {};
class Plain : public PackedFile, public testing::Test {};
class Gzip : public PackedFile, public testing::Test {};
class Zstd : public PackedFile, public testing::Test {};

INSTANTIATE_TEST_SUITE_P(With, Packed, testing::Values(Packing{"gzip", gzip, 2}, Packing{"zstd", zstd, 4}),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(Plain, other_files_stay_as_they_are) {
  for (const Frame& plain : {Frame{}, hex("1f"), hex("1f8a"), hex("8b1f"), hex("28b52f"), hex("28b52ffe"),
                             hex("4f2a4d18"), hex("602a4d18"), counting(100'000)}) {
    for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
      packed().read_bytes_max = piece;
      const Unpacked all = unpack(plain);
      EXPECT_EQ(all.bytes, plain);
      EXPECT_EQ(all.error, 0);
    }
  }
}

TEST_P(Packed, is_unpacked_in_pieces_of_any_size) {
  const Frame plain = counting(300'000);
  const Frame file = GetParam().pack(plain);
  for (const std::size_t piece : {1UL, 2UL, 3UL, 1000UL, SimFile::kNever}) {
    packed().read_bytes_max = piece;
    for (const std::size_t into : {1UL, 7UL, 4096UL, 1'000'000UL}) {
      const Unpacked all = unpack(file, into);
      ASSERT_TRUE(all.bytes == plain) << piece << " " << into;
      ASSERT_EQ(all.error, 0) << all.text;
    }
  }
}

TEST_P(Packed, is_unpacked_member_by_member) {
  const auto pack = GetParam().pack;
  const Frame a = counting(5000), b = counting(17);
  const Frame file = pack(a) + pack({}) + pack(b) + pack({}) + pack(a);
  for (const std::size_t piece : {std::size_t{1}, SimFile::kNever}) {
    packed().read_bytes_max = piece;
    const Unpacked all = unpack(file);
    EXPECT_EQ(all.error, 0) << all.text;
    EXPECT_TRUE(all.bytes == a + b + a);
  }
  EXPECT_TRUE(unpack(pack({})).bytes.empty());
}

TEST_P(Packed, gives_what_came_before_the_end_of_a_truncated_file) {
  const Frame plain = counting(400), file = GetParam().pack(plain);
  for (std::size_t bytes = GetParam().magic_bytes; bytes < file.size(); ++bytes) {
    const Unpacked all = unpack({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(bytes)}, 64);
    ASSERT_EQ(all.error, EBADMSG) << "cut to " << bytes;
    ASSERT_NE(all.text.find("a.packed"), std::string::npos);
    ASSERT_TRUE(is_prefix(all.bytes, plain));
  }
}

// A changed byte is noticed, or does not matter: a time, a system, hints, padding bits; or asks for too much memory.
TEST_P(Packed, notices_damage_at_every_offset) {
  const Frame plain = counting(400), file = GetParam().pack(plain);
  for (std::size_t at = GetParam().magic_bytes; at < file.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      Frame damaged = file;
      damaged[at] ^= static_cast<std::byte>(flip);
      const Unpacked all = unpack(damaged, 64);
      if (all.error == 0) EXPECT_EQ(all.bytes, plain) << "byte " << at;
      else EXPECT_TRUE(all.error == EBADMSG || all.error == EFBIG) << all.text;
    }
  }
}

TEST_P(Packed, passes_on_why_reading_failed) {
  const Frame plain = counting(400), file = GetParam().pack(plain);
  packed().read_errno = ESTALE;
  for (std::size_t at = 0; at < file.size(); ++at) {
    packed().read_fails_at = at;
    packed().read_bytes_max = 50;
    const Unpacked all = unpack(file, 64);
    ASSERT_EQ(all.error, ESTALE) << "at " << at;
    ASSERT_TRUE(is_prefix(all.bytes, plain));
  }
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

// As zstd(1): what is no frame is an error, wherever it is.
TEST_F(Zstd, takes_what_follows_the_last_frame_for_damage) {
  for (const Frame& garbage : {Frame(1), Frame(512), hex("28b52f"), hex("48656c6c6f"), gzip(counting(10))}) {
    const Unpacked all = unpack(zstd(counting(500)) + garbage);
    EXPECT_EQ(all.error, EBADMSG) << all.text;
    EXPECT_EQ(all.bytes, counting(500));
  }
}

// What pzstd(1) begins each frame with, and others put their own notes in.
TEST_F(Zstd, skips_frames_that_say_so) {
  const Frame note = hex("502a4d18 04000000 01020304"), other = hex("5f2a4d18 00000000");
  const Unpacked all = unpack(note + zstd(counting(500)) + other + note + zstd(counting(20)) + note);
  EXPECT_EQ(all.error, 0) << all.text;
  EXPECT_EQ(all.bytes, counting(500) + counting(20));
}

TEST_F(Zstd, refuses_a_window_that_would_take_too_much_memory_and_says_what_to_do) {
  const Frame plain = counting(2000);
  EXPECT_EQ(unpack(zstd_window(plain, host::kZstdWindowLog)).bytes, plain);
  const Unpacked all = unpack(zstd_window(plain, host::kZstdWindowLog + 1));
  EXPECT_EQ(all.error, EFBIG);
  EXPECT_NE(all.text.find("32 MiB"), std::string::npos) << all.text;
  EXPECT_NE(all.text.find("zstd -d --long=31"), std::string::npos) << all.text;
  EXPECT_TRUE(all.bytes.empty());
}

}  // namespace
