// SPDX-License-Identifier: BSD-2-Clause
// A wire that other threads feed, as a real backend's do, and a domain with a thread of its own. `fed:NAME` opens the
// wire: feed() may be called by any thread, all else by the domain's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "hypercall/sim/sim_host.hpp"
#include "tests/support/frames.hpp"
#include "virtif/virtif_module.hpp"

namespace rig {

using vif::test::Frame;

class FedWire {
 public:
  static constexpr std::size_t kFramesMax = 256;

  // Any thread. True: the frame waits for the driver, which has been told. False: nobody listens, or it is full.
  bool feed(Frame frame) {
    const std::lock_guard lock(mutex_);
    if (sink_ == nullptr) return false;
    sink_->ready();  // never calls back, so the lock may be held, which is what makes stop() wait for us
    if (frames_.size() == kFramesMax) return false;
    frames_.push_back(std::move(frame));
    return true;
  }

  std::atomic<std::uint64_t> started = 0, sent = 0;
  std::atomic<std::uint32_t> blocks_every = 0;  // 0: send always takes everything

 private:
  friend class FedLink;
  std::mutex mutex_;
  std::deque<Frame> frames_;
  vif::drv::LinkSink* sink_ = nullptr;
};

class FedLink final : public vif::drv::LinkPort {
 public:
  explicit FedLink(FedWire& wire) : wire_(wire) {}

  vif::Status start(vif::drv::LinkSink& sink) override {
    const std::lock_guard lock(wire_.mutex_);
    wire_.sink_ = &sink;
    ++wire_.started;
    return {};
  }
  void stop() override {
    const std::lock_guard lock(wire_.mutex_);
    wire_.sink_ = nullptr;
    wire_.frames_.clear();
  }
  // Says would_block now and then; the next frame fed makes it ready again.
  vif::drv::SendResult send(std::span<const vif::drv::TxFrame> frames) override {
    const std::uint32_t every = wire_.blocks_every;
    const bool blocks = every != 0 && ++sends_ % every == 0;
    const std::size_t taken = blocks ? frames.size() / 2 : frames.size();
    wire_.sent += taken;
    return {taken, blocks ? vif::drv::SendStatus::would_block : vif::drv::SendStatus::ok};
  }
  bool drain(std::size_t budget) override {
    std::vector<Frame> burst;
    bool more = false;
    vif::drv::LinkSink* sink = nullptr;
    {
      const std::lock_guard lock(wire_.mutex_);
      for (; burst.size() < budget && !wire_.frames_.empty(); wire_.frames_.pop_front()) {
        burst.push_back(std::move(wire_.frames_.front()));
      }
      more = !wire_.frames_.empty();
      sink = wire_.sink_;
    }
    std::vector<vif::drv::RxFrame> frames;
    for (const Frame& bytes : burst) frames.push_back({.bytes = bytes});
    sink->deliver(frames);
    return more;
  }
  void set_receive_filter(const vif::drv::ReceiveFilter&) override {}

 private:
  FedWire& wire_;
  std::uint32_t sends_ = 0;
};

class FedWires final : public vif::drv::LinkOpener {
 public:
  vif::Result<vif::drv::OpenLink> open(const vif::drv::Linkstr&, const vif::drv::LinkOwner&) override {
    return vif::drv::OpenLink{.port = std::make_unique<FedLink>(wire),
                              .caps = {.frame_bytes_max = 2000, .slices_max = 4}};
  }
  FedWire wire;
};

// A domain and the thread that polls it, asleep when there is nothing to do.
class DomainThread final : private vif::net::WakePort {
 public:
  DomainThread() : thread_([this] { run(); }) {}
  ~DomainThread() {
    quit_ = true;
    wake();
    thread_.join();
  }

  // Posts `command` and waits until it has run. False: it has not within ten seconds, so a wake-up was lost.
  bool call(std::function<void()> command) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    bool done = false;
    while (!domain.post([&] {
      command();
      const std::lock_guard lock(mutex_);
      done = true;
      condition_.notify_all();
    })) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    return condition_.wait_until(lock, end, [&] { return done; });
  }

 private:
  void wake() override {
    const std::lock_guard lock(mutex_);
    awake_ = true;
    condition_.notify_all();
  }
  void run() {
    while (!quit_) {
      domain.poll({}, 64);
      if (!domain.may_sleep()) continue;
      std::unique_lock lock(mutex_);
      condition_.wait(lock, [&] { return awake_; });
      awake_ = false;
    }
  }

  std::mutex mutex_;
  std::condition_variable condition_;
  bool awake_ = false;
  std::atomic<bool> quit_ = false;
  vif::host::sim::SimRandom random_{1};

 public:
  vif::net::Domain domain{{.pool = {.counts = {512, 0, 0, 0}, .external = 0}, .interfaces_max = 8}, random_, *this};

 private:
  std::thread thread_;  // last, as it uses all of the above
};

}  // namespace rig
