// SPDX-License-Identifier: BSD-2-Clause
// The 16 defects of the namespace series and what it stands on, one suite each: Defect01 ... Defect16.
#include <gtest/gtest.h>

#include <cerrno>

#include "services/trace/dynamic_events.hpp"
#include "tests/services/trace/rig.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class Defect : public testing::Test {
 protected:
  HeapPages pages;
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
};
using Defect01 = Defect;
using Defect02 = Defect;
using Defect03 = Defect;
using Defect04 = Defect;
using Defect05 = Defect;
using Defect06 = Defect;
using Defect07 = Defect;
using Defect08 = Defect;
using Defect09 = Defect;
using Defect10 = Defect;
using Defect11 = Defect;
using Defect12 = Defect;
using Defect13 = Defect;
using Defect14 = Defect;
using Defect15 = Defect;
using Defect16 = Defect;

TEST_F(Defect01, a_group_is_freed_when_the_last_handle_has_gone) {
  Group& group = **tracing->create_group("g");
  for (int i = 0; i < 3; ++i) {
    auto data = *tracing->open_data(group.id());
    auto status = *tracing->open_status(group.id());
    EXPECT_FALSE(tracing->remove_group("g"));
  }
  EXPECT_EQ(pages.mapped, 2);
  ASSERT_TRUE(tracing->remove_group("g"));
  EXPECT_EQ(pages.mapped, 1) << "its page is unmapped, the root's stays";
}

TEST_F(Defect02, a_group_that_could_not_be_made_is_nowhere) {
  pages.bytes_left = 0;
  EXPECT_EQ(tracing->create_group("g").error().number(), ENOMEM);
  EXPECT_EQ(tracing->groups().size(), 1U);
  EXPECT_EQ(tracing->open_data(1).error().number(), ENOENT);
}

TEST_F(Defect03, what_could_not_be_opened_or_mapped_holds_nothing) {
  Group& group = **tracing->create_group("g");
  {
    auto status = *tracing->open_status(group.id());
    EXPECT_EQ(status->map(4095).error().number(), EINVAL);
    EXPECT_EQ(status->map(8192).error().number(), EINVAL);
  }
  EXPECT_EQ(tracing->open_data(99).error().number(), ENOENT);
  EXPECT_TRUE(tracing->remove_group("g"));
}

TEST_F(Defect04, asking_whether_a_group_is_busy_does_not_make_it_busy) {
  Group& group = **tracing->create_group("g");
  {
    auto data = *tracing->open_data(group.id());
    ASSERT_TRUE(data->add("e u32 a"));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(tracing->remove_group("g").error().number(), EBUSY);
  }
  EXPECT_TRUE(tracing->remove_group("g"));
}

TEST_F(Defect05, a_handle_opened_before_the_removal_keeps_the_group_one_after_finds_none) {
  Group& group = **tracing->create_group("g");
  const std::uint32_t id = group.id();
  auto data = *tracing->open_data(id);
  EXPECT_EQ(tracing->remove_group("g").error().number(), EBUSY);
  EXPECT_TRUE(data->add("e u32 a")) << "and it works as before";
  data.reset();
  ASSERT_TRUE(tracing->remove_group("g"));
  EXPECT_EQ(tracing->open_data(id).error().number(), ENOENT);
}

TEST_F(Defect06, a_removal_refused_by_one_busy_event_destroys_none) {
  Group& group = **tracing->create_group("g");
  {
    auto data = *tracing->open_data(group.id());
    for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(data->add(name));
  }
  KeepingProbe probe;
  const unsigned place = *tracing->add_probe(probe);
  tracing->enable(*group.find("c"), place);
  EXPECT_EQ(tracing->remove_group("g").error().number(), EBUSY);
  EXPECT_EQ(group.events().size(), 3U);
  EXPECT_EQ(DynamicEvents(*tracing).truncate().error().number(), EBUSY);
  EXPECT_EQ(group.events().size(), 3U);
  tracing->disable(*group.find("c"), place);
  EXPECT_TRUE(tracing->remove_group("g"));
}

TEST_F(Defect07, making_a_group_again_leaves_the_one_that_is_there) {
  Group& group = **tracing->create_group("g");
  auto data = *tracing->open_data(group.id());
  ASSERT_TRUE(data->add("e u32 a"));
  EXPECT_EQ(tracing->create_group("g").error().number(), EEXIST);
  EXPECT_EQ(tracing->find_group("g"), &group);
  EXPECT_EQ(group.events().size(), 1U);
  EXPECT_EQ(pages.mapped, 2);
}

TEST_F(Defect08, dynamic_events_knows_whose_an_event_is) {
  Group& group = **tracing->create_group("g");
  {
    auto named = *tracing->open_data(group.id()), root = *tracing->open_data(0);
    ASSERT_TRUE(named->add("x u32 a"));
    ASSERT_TRUE(named->add("y"));
    ASSERT_TRUE(root->add("x u64 b"));
  }
  DynamicEvents dynamic(*tracing);
  EXPECT_EQ(dynamic.text(), "u:x u64 b\nu:user_events.g/x u32 a\nu:user_events.g/y\n");
  ASSERT_TRUE(dynamic.write("!u:x"));
  EXPECT_EQ(tracing->root().find("x"), nullptr);
  EXPECT_NE(group.find("x"), nullptr) << "a group's event of the same name stays";
  EXPECT_EQ(dynamic.write("!u:x").error().number(), ENOENT);
  EXPECT_TRUE(dynamic.write("-:user_events.g/x"));
  EXPECT_EQ(group.find("x"), nullptr);
}

TEST_F(Defect09, an_event_that_is_too_busy_to_go_stays_whole) {
  auto data = *tracing->open_data(0), other = *tracing->open_data(0);
  const auto done = data->add("e u32 a; u64 b");
  KeepingProbe probe;
  tracing->enable(done->event, *tracing->add_probe(probe));
  EXPECT_EQ(other->remove("e").error().number(), EBUSY);
  EXPECT_EQ(done->event.format.fields.size(), 2U);
  EXPECT_TRUE(done->event.enabled());
  SetClock clock;
  Writer writer(1, clock);
  const std::array<std::byte, 12> bytes{};
  const Bytes slice(bytes);
  EXPECT_EQ(data->write(writer, 0, Slices(std::span(&slice, 1))), 0);
}

TEST_F(Defect10, a_registration_that_fails_late_gives_everything_back) {
  auto data = *tracing->open_data(0);
  ASSERT_TRUE(tracing->root().set_limit(1));
  ASSERT_TRUE(data->add("a"));
  EXPECT_EQ(data->add("b u32 x").error().number(), EMFILE);
  ASSERT_TRUE(tracing->root().set_limit(2));
  EXPECT_EQ(data->add("b u32 x")->status_bit, 2U);
}

TEST_F(Defect10, running_out_of_type_ids_gives_the_index_back) {
  Group& group = **tracing->create_group("g");
  std::uint32_t made = 0;
  for (Group* each : tracing->groups()) {
    for (std::uint32_t i = 0; i < kGroupEventsMax; ++i, ++made) {
      Result<UserEvent*> event = each->obtain("e" + std::to_string(i), {});
      if (!event) {
        EXPECT_EQ(event.error().number(), ENODEV);
        break;
      }
      each->release(**event);
    }
  }
  EXPECT_EQ(made, kTypeIds);
  ASSERT_TRUE(tracing->root().remove("e0"));
  EXPECT_EQ((*group.obtain("late", {}))->index, kTypeIds - kGroupEventsMax + 1) << "no index was lost to the failure";
  group.release(*group.find("late"));
}

TEST_F(Defect11, bytes_that_are_not_there_are_not_read) {
  auto data = *tracing->open_data(0);
  const auto done = data->add("e __data_loc char[] text");
  KeepingProbe probe;
  tracing->enable(done->event, *tracing->add_probe(probe));
  SetClock clock;
  Writer writer(1, clock);
  const std::uint32_t empty = dyn_loc(0, 0);
  const Bytes slice = std::as_bytes(std::span(&empty, 1));
  EXPECT_EQ(data->write(writer, 0, Slices(std::span(&slice, 1))), EFAULT) << "an empty text's NUL";
  EXPECT_EQ(data->write(writer, -1, Slices(std::span(&slice, 1))), EINVAL) << "a negative index";
  EXPECT_EQ(data->write(writer, INT32_MIN, Slices(std::span(&slice, 1))), EINVAL);
  ASSERT_TRUE(data->add("empty"));
  tracing->enable(*tracing->root().find("empty"), 0);
  EXPECT_EQ(data->write(writer, 1, Slices({})), 0) << "an event without fields has an empty payload";
  for (const char* size : {"2147483648", "4294967295", "4294967296", "65537", "0", "-1"}) {
    EXPECT_EQ(data->add(std::string("s struct t a ") + size).error().number(), EINVAL) << size;
  }
  EXPECT_TRUE(data->add("s struct t a 65536"));
}

TEST_F(Defect12, no_two_groups_have_one_id) {
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back((*tracing->create_group("g" + std::to_string(i)))->id());
    if (i % 3 == 0) (void)tracing->remove_group("g" + std::to_string(i));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_GT(ids.front(), 0U) << "0 is the root's";
}

TEST_F(Defect13, a_limit_is_of_events_not_of_indices_alone) {
  auto first = *tracing->open_data(0), second = *tracing->open_data(0);
  ASSERT_TRUE(first->add("a"));
  ASSERT_TRUE(second->add("b"));
  first.reset();
  ASSERT_TRUE(tracing->root().remove("a"));
  ASSERT_TRUE(tracing->root().set_limit(1));
  EXPECT_EQ(second->add("c").error().number(), EMFILE) << "index 1 is free, but there is one event already";
}

TEST_F(Defect14, max_says_how_many_events_there_can_be) {
  EXPECT_NE(tracing->root().status_text().find("Max: 32767\n"), std::string::npos);
  auto kernel = *Tracing::open(pages, Mode::compat);
  EXPECT_NE(kernel->root().status_text().find("Max: 32768\n"), std::string::npos) << "what the kernel says";
}

TEST_F(Defect15, closing_has_nothing_to_fail) {
  static_assert(std::is_nothrow_destructible_v<DataFile> && std::is_nothrow_destructible_v<StatusFile>);
  (*tracing->open_data(0)).reset();
  (*tracing->open_status(0)).reset();
  EXPECT_EQ(tracing->root().handles().get(), 0U) << "a file nobody used is closed like any other";
}

TEST_F(Defect16, other_fields_under_a_name_are_refused) {
  auto data = *tracing->open_data(0);
  ASSERT_TRUE(data->add("e u32 a; struct s b 20"));
  for (const char* fields : {"u64 a; struct s b 20", "u32 c; struct s b 20", "u32 a; struct s b 21", "u32 a", ""}) {
    EXPECT_EQ(data->add(std::string("e ") + fields).error().number(), EADDRINUSE) << fields;
  }
  EXPECT_TRUE(data->add("e u32 a;struct s b 20;")) << "blanks and a last ';' make no difference";
  auto kernel = *Tracing::open(pages, Mode::compat);
  auto kernel_data = *kernel->open_data(0);
  ASSERT_TRUE(kernel_data->add("e u32 a"));
  EXPECT_EQ(kernel_data->add("e u64 other")->write_index, 0U) << "the kernel gave what there was";
}

}  // namespace
