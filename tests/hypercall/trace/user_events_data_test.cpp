// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own user_events_data: what is said where there is none, which calls it makes, and, where a kernel has
// it, an event that ftrace records.
#include "hypercall/trace/user_events_data.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "hypercall/linux_ports.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "services/trace/kernel_events.hpp"
#include "tests/support/host_faults.hpp"

namespace vif::host {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class UserEventsDataTest : public testing::Test {
 protected:
  UserEventsDataTest() { fs::create_directory(folder); }
  ~UserEventsDataTest() override { fs::remove_all(folder); }

  fs::path folder = fs::temp_directory_path() / ("vif-user-events-" + std::to_string(::getpid()));
};

TEST_F(UserEventsDataTest, says_why_there_is_none) {
  EXPECT_EQ(UserEventsData::open(folder).error().number(), ENOENT);
  EXPECT_NE(UserEventsData::open(folder).error().text.find("CONFIG_USER_EVENTS"), std::string::npos);
  std::ofstream(folder / "user_events_data");
  test::HostFaults faults;
  for (const int number : {EACCES, EMFILE}) {
    faults.fail("open", number, 1);
    EXPECT_EQ(UserEventsData::open(folder).error().number(), number);
  }
}

TEST_F(UserEventsDataTest, hands_every_failure_on) {
  std::ofstream(folder / "user_events_data");
  const auto data = std::move(UserEventsData::open(folder)).value();
  std::uint32_t nothing = 0;
  EXPECT_EQ(data->ioctl(0, &nothing), ENOTTY);  // of a plain file
  test::HostFaults faults;
  for (const int number : {E2BIG, EINVAL, EADDRINUSE}) {
    faults.fail("ioctl", number, 1);
    EXPECT_EQ(data->ioctl(0, &nothing), number);
  }
  faults.fail("write", EBADF, 1);
  EXPECT_EQ(data->write(std::as_bytes(std::span(&nothing, 1))), EBADF);
  EXPECT_EQ(data->write(std::as_bytes(std::span(&nothing, 1))), 0);
  EXPECT_EQ(fs::file_size(folder / "user_events_data"), sizeof nothing);
}

TEST_F(UserEventsDataTest, ftrace_records_what_we_write) {
  auto data = UserEventsData::open();
  if (!data) GTEST_SKIP() << "not asked of this host's kernel: " << data.error().text;
  const std::string tracefs = "/sys/kernel/tracing";
  const std::string name = "vif_test_" + std::to_string(::getpid());
  MappedPages pages;
  LinuxClock clock;
  trace::Writer writer(::gettid(), clock);
  auto tracing = std::move(trace::Tracing::open(pages)).value();
  auto file = std::move(tracing->open_data(0)).value();
  ASSERT_TRUE(file->add(name + " u32 n"));
  auto events = std::move(trace::KernelEvents::open(*tracing, pages, **data)).value();
  ASSERT_EQ(events->refused(), 0U) << events->why_refused();
  const fs::path enable = fs::path(tracefs) / "events/user_events" / name / "enable";
  if (!fs::exists(enable)) GTEST_SKIP() << enable << " is not there: tracefs is mounted elsewhere, or not for us";
  std::ofstream(enable) << "1";
  EXPECT_EQ(events->follow(), 1U);
  const std::uint32_t number = 4711;
  const Bytes payload = std::as_bytes(std::span(&number, 1));
  EXPECT_EQ(file->write(writer, 0, trace::Slices(std::span(&payload, 1))), 0);
  EXPECT_NE(read(fs::path(tracefs) / "trace").find(name), std::string::npos);
  std::ofstream(enable) << "0";
  EXPECT_EQ(events->follow(), 0U);
}

}  // namespace
}  // namespace vif::host
