// SPDX-License-Identifier: BSD-2-Clause
// Events in a kernel that has user_events as well: the simulated host's, which is asked what came, and whose every call
// fails once.
#include "services/trace/kernel_events.hpp"

#include <gtest/gtest.h>

#include "hypercall/sim/sim_user_events.hpp"
#include "tests/services/trace/rig.hpp"

namespace vif::trace {
namespace {

class KernelEventsTest : public testing::Test {
 protected:
  ~KernelEventsTest() override {
    events.reset();
    data.reset();
    named.reset();
  }

  void begin() { events = std::move(KernelEvents::open(*tracing, pages, port)).value(); }

  // As perf or ftrace does.
  void kernel_records(const char* name, bool on = true) {
    UserEvent* const event = kernel->root().find(name);
    ASSERT_NE(event, nullptr) << name;
    if (on) kernel->enable(*event, kernel_place);
    else kernel->disable(*event, kernel_place);
  }
  int write(DataFile& file, std::int32_t index, std::initializer_list<std::uint8_t> payload) {
    const auto bytes = std::as_bytes(std::span(payload.begin(), payload.size()));
    return file.write(writer, index, Slices(std::span(&bytes, 1)));
  }

  HeapPages pages;
  SetClock clock;
  Writer writer{7, clock};
  std::unique_ptr<Tracing> kernel = std::move(Tracing::open(pages)).value();
  KeepingProbe in_kernel{ProbeKind::perf};
  unsigned kernel_place = *kernel->add_probe(in_kernel);
  host::sim::SimUserEvents port{*kernel, clock};
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
  std::unique_ptr<DataFile> data = std::move(tracing->open_data(0)).value();
  std::unique_ptr<DataFile> named = std::move(tracing->open_data((*tracing->create_group("grp1"))->id())).value();
  std::unique_ptr<KernelEvents> events;
};

TEST_F(KernelEventsTest, are_registered_there_by_group_whether_they_were_before_or_come_later) {
  ASSERT_TRUE(data->add("drop u8 why; char[4] tag"));
  begin();
  ASSERT_TRUE(named->add("drop u16 n"));
  ASSERT_TRUE(data->add("tick"));
  EXPECT_EQ(fields_text(kernel->root().find("drop")->format), "u8 why; char[4] tag");
  EXPECT_EQ(fields_text(kernel->root().find("grp1_drop")->format), "u16 n");
  ASSERT_NE(kernel->root().find("tick"), nullptr);
  EXPECT_EQ(events->refused(), 0U);
}

TEST_F(KernelEventsTest, are_written_there_while_the_kernel_records_them) {
  const auto drop = data->add("drop u8 why");
  begin();
  EXPECT_EQ(write(*data, 0, {1}), EBADF);  // nobody records
  kernel_records("drop");
  EXPECT_EQ(events->follow(), 1U);
  EXPECT_TRUE(drop->event.enabled());
  EXPECT_EQ(write(*data, 0, {2}), 0);
  kernel_records("drop", false);
  EXPECT_EQ(write(*data, 0, {3}), 0);  // seen before follow() is
  EXPECT_EQ(events->follow(), 0U);
  EXPECT_FALSE(drop->event.enabled());
  kernel_records("drop");
  events->follow();
  EXPECT_EQ(write(*data, 0, {4, 5}), 0);
  const std::vector<std::vector<std::byte>> expected = {{std::byte{2}}, {std::byte{4}, std::byte{5}}};
  EXPECT_EQ(in_kernel.records, expected);
  EXPECT_EQ(events->lost(), 0U);
}

TEST_F(KernelEventsTest, without_fields_send_a_byte_as_older_kernels_want) {
  ASSERT_TRUE(data->add("tick"));
  begin();
  kernel_records("tick");
  events->follow();
  EXPECT_EQ(write(*data, 0, {}), 0);
  EXPECT_EQ(in_kernel.records, std::vector(1, std::vector(1, std::byte{0})));
}

TEST_F(KernelEventsTest, of_one_name_in_several_formats_are_so_there_or_else_the_first_is) {
  const Registering multi{Era::address, Lifetime::until_last_use, Formats::multi};
  begin();
  ASSERT_TRUE(data->add("drop u8 why", multi));
  ASSERT_TRUE(data->add("drop u16 why", multi));
  EXPECT_EQ(kernel->root().events().size(), 2U);
  EXPECT_EQ(kernel->root().events()[0]->system(), "user_events_multi");
  port.fail_call(0, EINVAL);  // a kernel before 6.9
  ASSERT_TRUE(data->add("drop u32 why", multi));
  ASSERT_NE(kernel->root().find("drop"), nullptr);
}

TEST_F(KernelEventsTest, leave_the_kernel_when_they_are_gone_here) {
  const Registering by_use{Era::address, Lifetime::until_last_use, Formats::single};
  ASSERT_TRUE(named->add("drop u8 why", by_use));
  begin();
  kernel_records("grp1_drop");
  events->follow();
  named.reset();
  kernel_records("grp1_drop", false);
  events->follow();  // nobody wants it any more, here or there
  EXPECT_TRUE(tracing->find_group("grp1")->events().empty());
  const int before = port.calls();
  events->follow();
  EXPECT_EQ(port.calls(), before + 1);
  EXPECT_TRUE(kernel->root().find("grp1_drop")->uses.get() == 1);  // of the file, which stays open
}

TEST_F(KernelEventsTest, that_end_leave_words_nobody_sets) {
  ASSERT_TRUE(data->add("drop u8 why"));
  begin();
  kernel_records("drop");
  events->follow();
  events.reset();
  kernel_records("drop", false);
  kernel_records("drop");
  EXPECT_FALSE(tracing->root().find("drop")->enabled());
}

TEST_F(KernelEventsTest, the_kernel_refuses_are_counted_with_its_reason_and_recorded_here_all_the_same) {
  KeepingProbe here;
  const unsigned place = *tracing->add_probe(here);
  for (const int number : {EMFILE, EADDRINUSE, EPERM, EFAULT, E2BIG, ENOMEM}) {
    begin();
    const std::string name = "event" + std::to_string(number);
    port.fail_call(0, number);
    const auto added = data->add(name + " u8 n");
    ASSERT_TRUE(added);
    EXPECT_EQ(events->refused(), 1U);
    EXPECT_EQ(events->why_refused(), name + " u8 n: " + std::generic_category().message(number));
    tracing->enable(added->event, place);
    events->follow();
    EXPECT_EQ(write(*data, static_cast<std::int32_t>(added->write_index), {1}), 0);
    events.reset();
  }
  EXPECT_EQ(here.records.size(), 6U);
  EXPECT_TRUE(in_kernel.records.empty());
}

TEST_F(KernelEventsTest, whose_text_gets_too_long_by_the_group_s_name_are_refused_unasked) {
  begin();
  const int before = port.calls();
  ASSERT_TRUE(named->add("d" + std::string(485, 'x') + " u8 n12345678901"));
  EXPECT_EQ(events->refused(), 0U);
  ASSERT_TRUE(named->add("e" + std::string(492, 'x') + " u8 n12345678901"));
  EXPECT_EQ(events->refused(), 1U);
  EXPECT_EQ(port.calls(), before + 1);
}

TEST_F(KernelEventsTest, the_kernel_fails_to_take_are_lost_and_counted_and_no_session_s_loss) {
  ASSERT_TRUE(data->add("drop u8 why"));
  begin();
  KeepingProbe here;
  tracing->enable(*tracing->root().find("drop"), *tracing->add_probe(here));
  kernel_records("drop");
  events->follow();
  struct Row {
    int fails, returned;
    std::uint64_t lost;
  };
  for (const Row& row :
       {Row{ENOMEM, 0, 1}, Row{EINTR, 0, 2}, Row{ENOENT, 0, 3}, Row{EBADF, 0, 3}, Row{EFAULT, EFAULT, 3}}) {
    port.fail_call(0, row.fails);
    EXPECT_EQ(write(*data, 0, {1}), row.returned) << row.fails;
    EXPECT_EQ(events->lost(), row.lost) << row.fails;
  }
  const std::vector<std::uint8_t> page(kPageBytes);
  const Bytes large = std::as_bytes(std::span(page));
  EXPECT_EQ(data->write(writer, 0, Slices(std::span(&large, 1))), 0);
  EXPECT_EQ(events->lost(), 4U);
  EXPECT_EQ(here.records.size(), 6U);
  EXPECT_TRUE(in_kernel.records.empty());
}

TEST_F(KernelEventsTest, the_kernel_does_not_let_go_keep_no_other_there) {
  const Registering by_use{Era::address, Lifetime::until_last_use, Formats::single};
  ASSERT_TRUE(data->add("drop u8 why", by_use));
  ASSERT_TRUE(data->add("tick", by_use));
  begin();
  const int before = port.calls();
  port.fail_call(0, ENOENT);
  events.reset();
  EXPECT_EQ(port.calls(), before + 2);
  EXPECT_EQ(kernel->root().find("drop")->uses.get(), 2U);  // the file, and a word
  EXPECT_EQ(kernel->root().find("tick")->uses.get(), 1U);  // the file
}

TEST_F(KernelEventsTest, say_what_they_cannot_have) {
  pages.bytes_left = 0;
  EXPECT_EQ(KernelEvents::open(*tracing, pages, port).error().number(), ENOMEM);
  pages.bytes_left = std::size_t{1} << 30;
  KeepingProbe other;
  for (unsigned i = 0; i < kProbesMax; ++i) ASSERT_TRUE(tracing->add_probe(other));
  EXPECT_EQ(KernelEvents::open(*tracing, pages, port).error().number(), EBUSY);
}

}  // namespace
}  // namespace vif::trace
