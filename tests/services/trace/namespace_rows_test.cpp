// SPDX-License-Identifier: BSD-2-Clause
// Row N, the self-test of the namespace series, and what else has to hold between groups.
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/services/trace/rig.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class N : public testing::Test {
 protected:
  ~N() override {
    tracing.reset();
    EXPECT_EQ(pages.mapped, 0);
  }
  HeapPages pages;
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
};

TEST_F(N, namespaces) {
  ASSERT_TRUE(tracing->create_group("test"));
  EXPECT_EQ(tracing->create_group("test").error().number(), EEXIST);
  Group& group = *tracing->find_group("test");
  auto status = *tracing->open_status(group.id());
  auto options = *tracing->open_options(group.id());
  auto program = std::make_unique<Program>(*tracing, group.id(), Era::bits);
  ASSERT_TRUE(options->write("user_events_limit=1\n"));
  ASSERT_EQ(program->reg_bits("__test_event u32 field1; u32 field2"), 0);
  EXPECT_EQ(program->write_index, 0);
  EXPECT_NE(program->status_bit, 0U);
  auto mapping = *status->map(4096);
  EXPECT_FALSE(mapping->test(program->status_bit));
  EXPECT_EQ(group.find("__test_event")->system(), "user_events.test");
  KeepingProbe probe;
  const unsigned place = *tracing->add_probe(probe);
  tracing->enable(*group.find("__test_event"), place);
  EXPECT_TRUE(mapping->test(program->status_bit));
  EXPECT_EQ(program->write_values(0, 1U, 2U).error, 0);
  EXPECT_EQ(probe.records.size(), 1U);
  EXPECT_EQ(program->reg_bits("__test_event2 u32 field1"), EMFILE);
  const auto removal = [&] {
    Status removed = tracing->remove_group("test");
    return removed ? 0 : removed.error().number();
  };
  EXPECT_EQ(removal(), EBUSY) << "options are open";
  options.reset();
  EXPECT_EQ(removal(), EBUSY) << "status is open";
  status.reset();
  EXPECT_EQ(removal(), EBUSY) << "data is open";
  program.reset();
  EXPECT_EQ(removal(), EBUSY) << "the page is mapped";
  mapping.reset();
  EXPECT_EQ(removal(), EBUSY) << "the event is enabled";
  EXPECT_NE(tracing->remove_group("test").error().text.find("__test_event"), std::string::npos);
  tracing->disable(*group.find("__test_event"), place);
  EXPECT_EQ(removal(), 0);
  EXPECT_EQ(removal(), ENOENT);
}

TEST_F(N, groups_do_not_see_each_other) {
  Group& one = **tracing->create_group("one");
  Group& two = **tracing->create_group("two");
  Program first(*tracing, one.id(), Era::bits), second(*tracing, two.id(), Era::bits);
  ASSERT_EQ(first.reg_bits("e u32 a"), 0);
  ASSERT_EQ(second.reg_bits("e u64 b; u64 c"), 0) << "the same name, other fields";
  EXPECT_NE(one.find("e")->type_id, two.find("e")->type_id);
  KeepingProbe probe;
  tracing->enable(*one.find("e"), *tracing->add_probe(probe));
  EXPECT_TRUE(StatusPage::test(one.page().bytes(), first.status_bit));
  EXPECT_FALSE(StatusPage::test(two.page().bytes(), second.status_bit));
  EXPECT_EQ(one.status_text(), "1:e # Used by ftrace\n\nActive: 1\nBusy: 1\nMax: 32767\nLimit: 32767\n");
  EXPECT_EQ(two.status_text(), "1:e\n\nActive: 1\nBusy: 0\nMax: 32767\nLimit: 32767\n");
  EXPECT_EQ(tracing->root().status_text(), "\nActive: 0\nBusy: 0\nMax: 32767\nLimit: 32767\n");
}

TEST_F(N, an_id_is_not_soon_given_again) {
  const std::uint32_t before = (*tracing->create_group("a"))->id();
  ASSERT_TRUE(tracing->remove_group("a"));
  const std::uint32_t after = (*tracing->create_group("a"))->id();
  EXPECT_NE(before, after);
  EXPECT_EQ(tracing->open_data(before).error().number(), ENOENT) << "a late open does not find the wrong group";
  EXPECT_EQ(tracing->open_status(before).error().number(), ENOENT);
  EXPECT_EQ(tracing->open_options(before).error().number(), ENOENT);
}

TEST_F(N, names) {
  for (const char* name : {"", ".", "..", "a/b", "a\nb", "a b", "a:b"}) {
    EXPECT_EQ(tracing->create_group(name).error().number(), EINVAL) << name;
  }
  EXPECT_EQ(tracing->create_group(std::string(256, 'n')).error().number(), ENAMETOOLONG);
  EXPECT_TRUE(tracing->create_group(std::string(255, 'n')));
  EXPECT_EQ(tracing->remove_group("").error().number(), ENOENT) << "the root stays";
}

TEST_F(N, options) {
  Group& group = **tracing->create_group("g");
  auto options = *tracing->open_options(group.id());
  EXPECT_EQ(options->text(), "user_events_limit=32767\n");
  EXPECT_TRUE(options->write("user_events_limit=7\nuser_events_limit=9\n"));
  EXPECT_EQ(options->text(), "user_events_limit=9\n");
  for (const char* junk :
       {"user_events_limit=0", "user_events_limit=32768", "user_events_limit=", "user_events_limit=x",
        "user_events_limit=5x", "user_events_limit=99999999999", "limit=5", "\n"}) {
    EXPECT_EQ(options->write(junk).error().number(), EINVAL) << junk;
  }
  EXPECT_EQ(options->text(), "user_events_limit=9\n");
}

TEST_F(N, a_limit_below_what_there_is_leaves_it_and_stops_more) {
  Group& group = **tracing->create_group("g");
  auto file = *tracing->open_data(group.id());
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(file->add(name));
  ASSERT_TRUE(group.set_limit(2));
  EXPECT_EQ(group.events().size(), 3U);
  EXPECT_TRUE(file->add("c")) << "what is there can be registered again";
  EXPECT_EQ(file->add("d").error().number(), EMFILE);
  ASSERT_TRUE(group.set_limit(4));
  EXPECT_EQ(file->add("d")->status_bit, 4U);
}

TEST_F(N, a_limit_counts_events_also_where_low_indices_are_free) {
  Group& group = **tracing->create_group("g");
  auto first = *tracing->open_data(group.id()), rest = *tracing->open_data(group.id());
  ASSERT_TRUE(first->add("a"));
  for (const char* name : {"b", "c"}) ASSERT_TRUE(rest->add(name));
  first.reset();
  ASSERT_TRUE(group.remove("a"));
  ASSERT_TRUE(group.set_limit(2));
  EXPECT_EQ(rest->add("d").error().number(), EMFILE) << "index 1 is free, but two events are two";
}

TEST_F(N, all_indices_then_emfile_and_the_lowest_free_again) {
  Group& group = **tracing->create_group("g");
  auto file = *tracing->open_data(group.id());
  for (std::uint32_t i = 1; i <= kGroupEventsMax; ++i) {
    Result<DataFile::Registration> done = file->add("e" + std::to_string(i));
    ASSERT_TRUE(done) << i;
    ASSERT_EQ(done->status_bit, i);
    ASSERT_EQ(done->write_index, i - 1);
  }
  EXPECT_EQ(file->add("more").error().number(), EMFILE);
  EXPECT_TRUE(tracing->root().obtain("more", {})) << "another group has its own";
  tracing->root().release(*tracing->root().find("more"));
  file.reset();
  for (const char* name : {"e700", "e5", "e32767"}) ASSERT_TRUE(group.remove(name));
  file = *tracing->open_data(group.id());
  EXPECT_EQ(file->add("x")->status_bit, 5U);
  EXPECT_EQ(file->add("y")->status_bit, 700U);
  EXPECT_EQ(file->add("z")->status_bit, 32767U);
  EXPECT_EQ(file->add("more").error().number(), EMFILE);
}

TEST_F(N, no_memory_for_a_status_page) {
  pages.bytes_left = 0;
  EXPECT_EQ(tracing->create_group("g").error().number(), ENOMEM);
  EXPECT_EQ(tracing->find_group("g"), nullptr);
  EXPECT_EQ(Tracing::open(pages).error().number(), ENOMEM);
  pages.bytes_left = kPageBytes;
  EXPECT_TRUE(tracing->create_group("g"));
}

}  // namespace
