// SPDX-License-Identifier: BSD-2-Clause
// Fixture of everything that has to hold in the root group and in a named one alike.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/services/trace/rig.hpp"

namespace vif::trace {

class OnBothGroups : public testing::TestWithParam<const char*> {
 protected:
  OnBothGroups() { use(Mode::strict); }
  ~OnBothGroups() override {
    tracing.reset();
    EXPECT_EQ(pages.mapped, 0);
  }

  void use(Mode mode) {
    tracing = std::move(Tracing::open(pages, mode)).value();
    const std::string name = GetParam();
    group = name.empty() ? &tracing->root() : *tracing->create_group(name);
  }
  std::uint32_t id() const { return group->id(); }
  void enable(const char* name, Probe& probe) {
    place = *tracing->add_probe(probe);
    tracing->enable(*group->find(name), place);
  }
  void disable(const char* name) { tracing->disable(*group->find(name), place); }
  void enable_again(const char* name) { tracing->enable(*group->find(name), place); }
  bool bit(std::uint32_t index) const { return StatusPage::test(group->page().bytes(), index); }

  HeapPages pages;
  std::unique_ptr<Tracing> tracing;
  Group* group = nullptr;
  unsigned place = 0;
};

inline std::string group_label(const testing::TestParamInfo<const char*>& info) {
  return *info.param == '\0' ? "root" : "named";
}

#define ON_BOTH_GROUPS(suite) INSTANTIATE_TEST_SUITE_P(Group, suite, testing::Values("", "grp1"), group_label)

}  // namespace vif::trace
