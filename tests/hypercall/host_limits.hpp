// SPDX-License-Identifier: BSD-2-Clause
// Makes the host refuse, for as long as one of these lives: descriptors, file size, root's rights. One thread, and one
// at a time of each.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "hypercall/unique_fd.hpp"

namespace vif::test {

class Limit {
 public:
  Limit(int resource, rlim_t limit) : resource_(resource) {
    ::getrlimit(resource_, &before_);
    const rlimit lowered{limit, before_.rlim_max};
    ::setrlimit(resource_, &lowered);
  }
  ~Limit() { ::setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  int resource_;
  rlimit before_{};
};

// UBSan opens a pipe to look at an object's type, and takes a missing one for a wrong type.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define VIF_NEEDS_DESCRIPTORS() GTEST_SKIP() << "UBSan itself needs descriptors"
#endif
#endif
#ifndef VIF_NEEDS_DESCRIPTORS
#define VIF_NEEDS_DESCRIPTORS() static_cast<void>(0)
#endif

// At most `spare` more descriptors can be opened. Assumes none is free below the highest.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t spare) : limit_(RLIMIT_NOFILE, next() + spare) {}

 private:
  static rlim_t next() {
    const host::UniqueFd lowest(::dup(0));
    return static_cast<rlim_t>(lowest.get());
  }
  Limit limit_;
};

// Files end at `bytes`, with EFBIG instead of a signal.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)), limit_(RLIMIT_FSIZE, bytes) {}
  ~SmallFiles() { std::signal(SIGXFSZ, before_); }

 private:
  void (*before_)(int);
  Limit limit_;
};

// Somebody to whom modes apply.
class NotRoot {
 public:
  NotRoot() : was_(::geteuid()) {
    if (was_ == 0 && ::seteuid(65'534) != 0) std::abort();
  }
  ~NotRoot() {
    if (::seteuid(was_) != 0) std::abort();
  }
  NotRoot(const NotRoot&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;

 private:
  uid_t was_;
};

// A folder of its own, gone afterwards.
class TempFolder {
 public:
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path() / "virtif-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
    std::filesystem::permissions(path, std::filesystem::perms::all);
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const char* name) const { return path / name; }
  std::filesystem::path path;
};

}  // namespace vif::test
