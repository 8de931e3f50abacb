// SPDX-License-Identifier: BSD-2-Clause
// A process with a mapped status page forks: what the child has is a copy of everything as it was, and neither is in
// the other's way.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/unique_fd.hpp"
#include "services/trace/session.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

// What the child does; 0, or the number of the step that went wrong.
int in_the_child(Tracing& tracing, std::unique_ptr<StatusMapping>& mapping, std::unique_ptr<DataFile>& file,
                 std::uint32_t bit, int parent_enabled) {
  char go = 0;
  if (::read(parent_enabled, &go, 1) != 1) return 1;
  if (mapping->test(bit)) return 2;  // that was in the parent
  UserEvent& event = *tracing.find_group("grp1")->find("drop");
  host::MappedPages pages;
  auto session = Session::open(tracing, pages, {});
  if (!session || !(*session)->enable("drop") || !mapping->test(bit)) return 3;
  if (tracing.remove_group("grp1")) return 4;  // it is mapped, open and enabled here, too
  session->reset();
  if (event.enabled()) return 5;
  mapping.reset();
  file.reset();
  if (!tracing.find_group("grp1")->remove("drop") || !tracing.remove_group("grp1")) return 6;
  return 0;
}

TEST(ForkedPage, is_the_child_s_own_from_then_on) {
  host::MappedPages pages;
  auto tracing = std::move(Tracing::open(pages)).value();
  const std::uint32_t id = (*tracing->create_group("grp1"))->id();
  auto file = std::move(tracing->open_data(id)).value();
  auto mapping = std::move((*tracing->open_status(id))->map(kPageBytes)).value();
  const std::uint32_t bit = file->add("drop u32 n")->status_bit;
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const host::UniqueFd reads(pipe[0]), writes(pipe[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(in_the_child(*tracing, mapping, file, bit, reads.get()));
  {
    auto session = std::move(Session::open(*tracing, pages, {})).value();
    ASSERT_TRUE(session->enable("drop"));
    ASSERT_EQ(::write(writes.get(), "!", 1), 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "the step that went wrong";
    EXPECT_TRUE(mapping->test(bit)) << "nothing of what the child did is seen here";
    EXPECT_NE(tracing->find_group("grp1"), nullptr);
  }
  EXPECT_FALSE(mapping->test(bit));
}

}  // namespace
