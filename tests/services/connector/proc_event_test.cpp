// SPDX-License-Identifier: BSD-2-Clause
// The 40 bytes of a process event: offsets as in the UAPI header, and what a record may carry behind them.
#include "services/connector/proc_event.hpp"

#include <gtest/gtest.h>

#include "services/connector/extension.hpp"
#include "tests/services/connector/bytes.hpp"

namespace {

using namespace vif;
using namespace vif::cn;
using test::ByteVector;
using test::words;

ByteVector written(const ProcEvent& event) {
  ByteVector bytes(kProcEventBytes, std::byte{0xaa});
  write_proc_event(event, std::span<std::byte, kProcEventBytes>(bytes));
  return bytes;
}

// As an exit of `false` was seen on Linux 6.18.
TEST(ProcEvent, exit_has_its_fields_where_the_kernel_puts_them) {
  const ByteVector bytes = words(0x8000'0000, 1, 0x89ab'cdef, 0x0123'4567, 1001, 1000, 0x100, 17, 7, 6);
  const std::optional<ProcEvent> event = read_proc_event(bytes);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->what, What::exit);
  EXPECT_EQ(event->cpu, 1U);
  EXPECT_EQ(event->timestamp_ns, 0x0123'4567'89ab'cdefULL);
  EXPECT_EQ(event->pid, 1001);
  EXPECT_EQ(event->tgid, 1000);
  EXPECT_EQ(event->exit_code, 0x100U);
  EXPECT_EQ(event->exit_signal, 17);
  EXPECT_EQ(event->parent_pid, 7);
  EXPECT_EQ(event->parent_tgid, 6);
  EXPECT_EQ(written(*event), bytes);
}

TEST(ProcEvent, fork_is_about_the_child) {
  const std::optional<ProcEvent> event = read_proc_event(words(1, 0, 0, 0, 10, 11, 12, 13, 0, 0));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->parent_pid, 10);
  EXPECT_EQ(event->parent_tgid, 11);
  EXPECT_EQ(event->pid, 12);
  EXPECT_EQ(event->tgid, 13);
}

TEST(ProcEvent, of_every_kind_reads_back_and_leaves_the_rest_zero) {
  for (const What what : {What::none, What::fork, What::exec, What::uid, What::gid, What::sid, What::ptrace, What::comm,
                          What::coredump, What::exit, What::task, What::resynced, What::lost}) {
    ByteVector bytes = words(bit(what), 3, 4, 5, 0, 0, 0, 0, 0, 0);
    for (std::size_t i = 16; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    const std::optional<ProcEvent> event = read_proc_event(bytes);
    ASSERT_TRUE(event) << name(what);
    const std::optional<ProcEvent> again = read_proc_event(written(*event));
    ASSERT_TRUE(again) << name(what);
    EXPECT_EQ(*again, *event) << name(what);
  }
  EXPECT_EQ(written({.what = What::exec, .pid = 1, .tgid = 2, .exit_code = 77}), words(2, 0, 0, 0, 1, 2, 0, 0, 0, 0));
}

TEST(ProcEvent, comm_ends_inside_its_sixteen_bytes) {
  ByteVector bytes = words(0x200, 0, 0, 0, 1, 1, 0, 0, 0, 0);
  for (std::size_t i = 24; i < bytes.size(); ++i) bytes[i] = std::byte{'x'};
  const std::optional<ProcEvent> event = read_proc_event(bytes);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->comm_text(), "xxxxxxxxxxxxxxx");
}

TEST(ProcEvent, is_none_when_short_or_of_no_kind) {
  const ByteVector whole = words(0x8000'0000, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  EXPECT_FALSE(read_proc_event(Bytes(whole).first(39)));
  EXPECT_FALSE(read_proc_event(words(0x8, 0, 0, 0, 0, 0, 0, 0, 0, 0)));
  EXPECT_FALSE(read_proc_event(words(0x2000'0000, 0, 0, 0, 0, 0, 0, 0, 0, 0))) << "a bit of masks only";
}

TEST(ProcEvent, kinds_have_the_names_people_type) {
  EXPECT_EQ(mask_named("exec"), std::optional<Mask>(2));
  EXPECT_EQ(mask_named("nonzero_exit"), std::optional<Mask>(0x2000'0000));
  EXPECT_EQ(mask_named("all"), std::optional<Mask>(0xe000'03c7));
  EXPECT_EQ(mask_named("lost"), std::nullopt);
  EXPECT_EQ(mask_named(""), std::nullopt);
  EXPECT_EQ(name(What::coredump), "COREDUMP");
}

TEST(Extension, reads_back_and_skips_what_it_does_not_know) {
  const Extension extension{.sequence = 1ULL << 40, .user_code = 0x8000'0001, .comm = {{'s', 'h'}}};
  std::byte room[kExtensionBytesMax];
  const std::size_t bytes = write_extension(extension, room);
  EXPECT_EQ(bytes, kExtensionBytesMax);
  EXPECT_EQ(read_extension(room), extension);
  ByteVector with_stranger = words(0x0005'4321, 1, 2);  // type 0x4321 of 5 bytes, padded to 8
  with_stranger.insert(with_stranger.end(), room, room + bytes);
  EXPECT_EQ(read_extension(with_stranger), extension);
  EXPECT_EQ(read_extension(Bytes(room).first(bytes - 1)).comm, std::nullopt) << "the last piece is cut off";
  EXPECT_EQ(read_extension(words(0x0004'0001, 5)).sequence, std::nullopt) << "a sequence has 8 bytes";
}

TEST(Wishes, read_back) {
  const Wishes wishes{.tgid = 7, .tree = -1, .extended = true};
  std::byte room[kWishesBytesMax];
  ASSERT_EQ(write_wishes(wishes, room), kWishesBytesMax);
  EXPECT_EQ(read_wishes(room), wishes);
  EXPECT_EQ(read_wishes({}), Wishes{});
}

}  // namespace
