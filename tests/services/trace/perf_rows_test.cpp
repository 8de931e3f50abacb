// SPDX-License-Identifier: BSD-2-Clause
// Rows P of the kernel's selftests, with a probe of kind perf in perf's place.
#include <cerrno>

#include "services/trace/group_files.hpp"
#include "tests/services/trace/on_both_groups.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class P : public OnBothGroups {};
ON_BOTH_GROUPS(P);

TEST_P(P, perf_write) {
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits("__test_event u32 field1; u32 field2"), 0);
  const UserEvent& event = *group->find("__test_event");
  const FormatFile file = *read_format_file(format_file(event.format, event.name, event.type_id));
  EXPECT_EQ(file.type_id, event.type_id);
  const std::uint32_t offset = file.format.find("field1")->offset - kRecordHeaderBytes;
  {
    KeepingProbe probe(ProbeKind::perf);
    enable("__test_event", probe);
    EXPECT_TRUE(bit(program.status_bit));
    EXPECT_NE((*tracing->open_status(id()))->text().find("__test_event # Used by perf\n"), std::string::npos);
    ASSERT_EQ(program.write_values(0, 0xc001U, 0xc01aU).error, 0);
    ASSERT_EQ(probe.records.size(), 1U);
    std::uint32_t values[2];
    std::memcpy(values, &probe.records[0][offset], sizeof values);
    EXPECT_EQ(values[0], 0xc001U);
    EXPECT_EQ(values[1], 0xc01aU);
    tracing->remove_probe(place);
  }
  EXPECT_FALSE(bit(program.status_bit)) << "its last probe closed";
}

TEST_P(P, perf_empty_events) {
  Program program(*tracing, id(), Era::address);
  ASSERT_EQ(program.reg_address("__test_event", {}), 0);
  KeepingProbe probe(ProbeKind::perf);
  enable("__test_event", probe);
  EXPECT_EQ(program.writev(0, {}).error, 0);
  ASSERT_EQ(probe.records.size(), 1U);
  EXPECT_TRUE(probe.records[0].empty());
}

}  // namespace
