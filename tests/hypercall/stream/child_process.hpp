// SPDX-License-Identifier: BSD-2-Clause
// Another program, started by a test and ended with it. In the network namespace of the thread that starts it; what it
// prints goes to a file.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace vif::test {

// A descriptor that it also gets, as this number; as 0 it is also its standard output.
struct Inherited {
  int fd = -1, as = -1;
};

class ChildProcess {
 public:
  ChildProcess(const std::vector<std::string>& words, const std::string& log, Inherited inherited = {}) : log_(log) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    if (inherited.fd >= 0) posix_spawn_file_actions_adddup2(&files, inherited.fd, inherited.as);
    if (inherited.as == 0) posix_spawn_file_actions_adddup2(&files, inherited.fd, 1);
    EXPECT_EQ(::posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ), 0) << words[0];
    posix_spawn_file_actions_destroy(&files);
  }
  ~ChildProcess() { end(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }

  static bool installed(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
  }

 private:
  const std::string log_;
  pid_t pid_ = -1;
};

}  // namespace vif::test
