// SPDX-License-Identifier: BSD-2-Clause
// Attachers of a segment with a name of the test's own, and what is left of it in the system. Whatever a test leaves
// behind is removed with the object.
#pragma once

#include <sys/shm.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "hypercall/linux_ports.hpp"
#include "hypercall/shm/segment_folder.hpp"
#include "hypercall/shm/segment_layout.hpp"
#include "hypercall/shm/shm_link.hpp"
#include "tests/conformance/recording_sink.hpp"
#include "tests/support/some_owner.hpp"

namespace vif::test {

class ShmSegment {
 public:
  explicit ShmSegment(const std::string& what) : name_("test-" + what + "-" + std::to_string(::getpid())) { remove(); }
  ~ShmSegment() { remove(); }
  ShmSegment(const ShmSegment&) = delete;
  ShmSegment& operator=(const ShmSegment&) = delete;

  const std::string& name() const { return name_; }
  std::string linkstr() const { return "shm:/" + name_; }
  std::filesystem::path folder() const { return "/dev/shm/virtif." + name_; }
  bool exists() const { return std::filesystem::exists(folder()); }

  // The identifier of its memory for shmctl(2), or -1.
  int memory_id() const {
    const auto folder = host::shm::SegmentFolder::look({name_});
    const auto record = folder ? folder->read_record() : std::nullopt;
    return record ? ::shmget(static_cast<key_t>(record->key), 0, 0) : -1;
  }
  void remove() const {
    if (const int id = memory_id(); id >= 0) ::shmctl(id, IPC_RMID, nullptr);
    std::filesystem::remove_all(folder());
  }

 private:
  const std::string name_;
};

// The memory of a segment, for looking in, and for writing nonsense.
class SharedView {
 public:
  explicit SharedView(const ShmSegment& segment) : at_(::shmat(segment.memory_id(), nullptr, 0)) {}
  ~SharedView() { ::shmdt(at_); }
  SharedView(const SharedView&) = delete;
  SharedView& operator=(const SharedView&) = delete;

  host::shm::Segment& operator*() const { return *static_cast<host::shm::Segment*>(at_); }
  host::shm::Segment* operator->() const { return static_cast<host::shm::Segment*>(at_); }

 private:
  void* const at_;
};

// Whoever opens links of shm, and the descriptors its loop waits for.
class ShmOpener {
 public:
  Result<drv::OpenLink> open(const std::string& linkstr) {
    return host::open_shm_link(*drv::Linkstr::parse(linkstr), owner_, watch, clock_);
  }

  host::FdWatch watch = *host::FdWatch::create();

 private:
  SomeOwner owner_;
  host::LinuxClock clock_;
};

// One attacher.
class ShmPort : public ShmOpener, public RecordedLink {
 public:
  explicit ShmPort(const ShmSegment& segment, const std::string& options = "", bool started = true) {
    auto opened = open(segment.linkstr() + options);
    EXPECT_TRUE(opened) << opened.error().text;
    if (!opened) return;
    link = std::move(*opened);
    if (started) start();
  }
  ~ShmPort() {
    if (link.port) stop();
    link.port.reset();
  }
};

}  // namespace vif::test
