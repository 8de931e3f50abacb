// SPDX-License-Identifier: BSD-2-Clause
// A vde_switch of our own with two plugs in it, by libvdeplug, both found at run time; gone with the object. One
// thread.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "hypercall/unique_fd.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/frames.hpp"

namespace vif::bench {

class VdeSwitch {
 public:
  VdeSwitch() {
    library_ = ::dlopen("libvdeplug.so.2", RTLD_NOW);
    if (library_ == nullptr || !installed("vde_switch")) {
      why_ = not_installed("vde2");
      return;
    }
    folder_ = std::filesystem::temp_directory_path() / ("vif-bench-vde-" + std::to_string(::getpid()));
    // It ends with its standard input, and so with us, whatever becomes of us.
    std::array<int, 2> input;
    if (::pipe2(input.data(), O_CLOEXEC) != 0) give_up("cannot make a pipe");
    input_ = host::UniqueFd(input[1]);
    const host::UniqueFd its_end(input[0]);
    switch_ = ::fork();
    if (switch_ == 0) {
      pin(1);
      ::dup2(its_end.get(), STDIN_FILENO);
      const int silent = ::open("/dev/null", O_WRONLY);
      ::dup2(silent, STDOUT_FILENO);
      ::dup2(silent, STDERR_FILENO);
      ::execlp("vde_switch", "vde_switch", "-s", folder_.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 200 && !std::filesystem::exists(folder_ / "ctl"); ++i) ::usleep(10'000);
    for (void*& plug : plugs_) {
      plug = call<void*(const char*, const char*, int, void*)>("vde_open_real")(folder_.c_str(), "bench", 1, nullptr);
    }
    if (plugs_[0] == nullptr || plugs_[1] == nullptr) why_ = "cannot plug into vde_switch";
  }
  ~VdeSwitch() {
    if (switch_ <= 0) return;
    for (void* plug : plugs_) {
      if (plug != nullptr) call<int(void*)>("vde_close")(plug);
    }
    ::kill(switch_, SIGTERM);
    ::waitpid(switch_, nullptr, 0);
    std::error_code gone;
    std::filesystem::remove_all(folder_, gone);
  }

  const std::string& why_not() const { return why_; }

  // From one plug to the other, a burst at a time.
  double run(std::uint64_t frames, std::uint32_t bytes, std::size_t burst) {
    const auto send = call<ssize_t(void*, const void*, std::size_t, int)>("vde_send");
    const auto receive = call<ssize_t(void*, void*, std::size_t, int)>("vde_recv");
    const test::Frame frame = test::ether(net::kBroadcast, 0x88b5, test::counting(bytes - 14));
    std::array<std::byte, 4096> into;
    const double begun_ns = now_ns();
    for (std::uint64_t received = 0; received < frames;) {
      for (std::size_t i = 0; i < burst; ++i) send(plugs_[0], frame.data(), frame.size(), 0);
      for (std::size_t i = 0; i < burst; ++i, ++received) receive(plugs_[1], into.data(), into.size(), 0);
    }
    return (now_ns() - begun_ns) / static_cast<double>(frames);
  }

 private:
  template <class Function>
  Function* call(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library_, name));
  }

  void* library_ = nullptr;
  std::filesystem::path folder_;
  host::UniqueFd input_;
  pid_t switch_ = 0;
  std::array<void*, 2> plugs_{};
  std::string why_;
};

}  // namespace vif::bench
