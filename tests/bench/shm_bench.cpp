// SPDX-License-Identifier: BSD-2-Clause
// A shared-memory segment beside the least that could do the same for two: a ring of slots between two processes, one
// copy in and none out; and beside vde_switch where it is installed. Two processors, one process on each, bursts of 32.
// shm_bench [rounds]
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "hypercall/linux_ports.hpp"
#include "hypercall/shm/shm_link.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/bench/vde_switch.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;

constexpr std::size_t kBurst = 32;
constexpr std::uint64_t kWindow = 1024;  // frames on their way, so that none is lost and all are measured

void pause_a_little() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// What the processes of one run share besides what is measured.
struct Shared {
  alignas(64) std::atomic<bool> ready;
  alignas(64) std::atomic<std::uint64_t> received;  // by the slowest

  void wait_for_room(std::uint64_t sent) const {
    while (sent - received.load(std::memory_order_acquire) > kWindow - kBurst) pause_a_little();
  }
};

template <class T>
T& shared_memory() {
  void* const at = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (at == MAP_FAILED) bench::give_up("cannot map memory");
  return *static_cast<T*>(at);
}

// ns a frame of `receive` here, while `send` runs in a process on the other processor.
template <class Send, class Receive>
double between_processes(Shared& shared, std::uint64_t frames, Send send, Receive receive) {
  shared.ready = false;
  shared.received = 0;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    bench::pin(1);
    send();
    ::_exit(0);
  }
  while (!shared.ready) std::this_thread::yield();
  const double begun_ns = bench::now_ns();
  receive();
  const double taken_ns = bench::now_ns() - begun_ns;
  ::waitpid(child, nullptr, 0);
  return taken_ns / static_cast<double>(frames);
}

// --- the bare ring ---

struct BareRing {
  static constexpr std::uint32_t kSlots = 1024;
  struct Slot {
    std::uint64_t at;
    std::uint32_t bytes, unused;
  };
  alignas(64) std::atomic<std::uint32_t> head;
  alignas(64) std::atomic<std::uint32_t> tail;
  alignas(64) std::array<Slot, kSlots> slots;
  alignas(64) std::array<std::array<std::byte, 2048>, kSlots> frames;
};

enum class Receiver { in_place, copies_out };

void bare_send(BareRing& ring, std::uint64_t frames, std::uint32_t bytes) {
  alignas(64) static std::array<std::byte, 2048> frame{};
  std::uint32_t head = 0, tail = 0;
  for (std::uint64_t sent = 0; sent < frames; sent += kBurst) {
    while (head - tail > BareRing::kSlots - kBurst) {
      pause_a_little();
      tail = ring.tail.load(std::memory_order_acquire);
    }
    for (std::size_t i = 0; i < kBurst; ++i, ++head) {
      const std::uint32_t slot = head % BareRing::kSlots;
      std::memcpy(ring.frames[slot].data(), frame.data(), bytes);
      ring.slots[slot] = {slot, bytes, 0};
    }
    ring.head.store(head, std::memory_order_release);
  }
}

// Each frame is looked at: its length and its first word, or all of it.
void bare_receive(BareRing& ring, std::uint64_t frames, Receiver receiver) {
  alignas(64) static std::array<std::byte, 2048> copy;
  std::uint32_t tail = 0;
  for (std::uint64_t received = 0; received < frames;) {
    const std::uint32_t head = ring.head.load(std::memory_order_acquire);
    if (head == tail) pause_a_little();
    for (; tail != head; ++tail, ++received) {
      const BareRing::Slot& slot = ring.slots[tail % BareRing::kSlots];
      const std::size_t bytes = receiver == Receiver::in_place ? 8 : slot.bytes;
      std::memcpy(copy.data(), ring.frames[slot.at].data(), bytes);
      asm volatile("" ::"r"(copy.data()), "r"(slot.bytes) : "memory");
    }
    ring.tail.store(tail, std::memory_order_release);
  }
}

double bare(std::uint64_t frames, std::uint32_t bytes, Receiver receiver) {
  static Shared& shared = shared_memory<Shared>();
  static BareRing& ring = shared_memory<BareRing>();
  ring.head = ring.tail = 0;
  return between_processes(
      shared, frames,
      [&] {
        shared.ready = true;
        bare_send(ring, frames, bytes);
      },
      [&] { bare_receive(ring, frames, receiver); });
}

// --- ours ---

class Counter final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override {
    for (const drv::RxFrame& frame : burst) {
      std::uint64_t word = 0;
      std::memcpy(&word, frame.bytes.data(), sizeof word);
      asm volatile("" ::"r"(word), "r"(frame.bytes.size()));
    }
    frames += burst.size();
  }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t count) override { lost_frames += count; }

  std::uint64_t frames = 0, lost_frames = 0;
};

struct Attacher {
  Attacher() {
    static const std::string name = "shm:/bench-" + std::to_string(::getpid());  // of the first, before any fork
    auto opened = host::open_shm_link(*drv::Linkstr::parse(name), owner, watch, clock);
    if (!opened) bench::skip(opened.error().text);
    link = std::move(*opened);
    if (!link.port->start(sink)) bench::give_up("cannot start");
  }
  ~Attacher() { link.port->stop(); }

  test::SomeOwner owner;
  host::LinuxClock clock;
  host::FdWatch watch = *host::FdWatch::create();
  Counter sink;
  drv::OpenLink link;
};
using Attachers = std::vector<std::unique_ptr<Attacher>>;

Attachers attach(std::size_t count) {
  Attachers attachers;
  for (std::size_t i = 0; i < count; ++i) attachers.push_back(std::make_unique<Attacher>());
  return attachers;
}

// A burst of equal frames.
struct Burst {
  explicit Burst(std::uint32_t bytes) : frame(bytes), slice(frame) {
    frames.fill({.slices = std::span(&slice, 1), .bytes = bytes});
  }
  std::vector<std::byte> frame;
  Bytes slice;
  std::array<drv::TxFrame, kBurst> frames;
};

std::uint64_t slowest(const Attachers& attachers) {
  std::uint64_t frames = UINT64_MAX;
  for (const auto& attacher : attachers) frames = std::min(frames, attacher->sink.frames + attacher->sink.lost_frames);
  return frames;
}

// One sender over there, `receivers` here.
double ours(std::uint64_t frames, std::uint32_t bytes, std::size_t receivers) {
  static Shared& shared = shared_memory<Shared>();
  const Attachers attachers = attach(receivers);
  const double ns = between_processes(
      shared, frames,
      [&] {
        Attacher sender;
        const Burst burst(bytes);
        shared.ready = true;
        for (std::uint64_t sent = 0; sent < frames; sent += kBurst) {
          shared.wait_for_room(sent);
          sender.link.port->send(burst.frames);
        }
      },
      [&] {
        for (std::uint64_t received = 0; received < frames; received = slowest(attachers)) {
          for (const auto& attacher : attachers) attacher->link.port->drain(64);
          shared.received.store(received, std::memory_order_release);
        }
      });
  for (const auto& attacher : attachers) {
    if (attacher->sink.lost_frames > 0) std::printf("lost %lu frames\n", attacher->sink.lost_frames);
  }
  return ns;
}

// Four here and four over there send a burst in turn and receive what the seven others send; ns a frame sent.
double all_to_all(std::uint64_t frames, std::uint32_t bytes) {
  static Shared& shared = shared_memory<Shared>();
  constexpr std::size_t kAttachers = 8;
  const std::uint64_t bursts = frames / kBurst / kAttachers;
  const auto talk = [&](const Attachers& attachers) {
    const Burst burst(bytes);
    for (std::uint64_t i = 0; i < bursts; ++i) {
      for (const auto& attacher : attachers) attacher->link.port->send(burst.frames);
      for (const auto& attacher : attachers) attacher->link.port->drain(8 * kBurst);
    }
  };
  const Attachers here = attach(kAttachers / 2);
  return between_processes(
      shared, frames,
      [&] {
        const Attachers there = attach(kAttachers / 2);
        shared.ready = true;
        talk(there);
      },
      [&] { talk(here); });
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 7;
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) bench::skip("needs two processors: both ends run all the time");
  bench::begin(0);
  bench::print_calibration();
  bench::VdeSwitch vde;
  if (!vde.why_not().empty()) bench::leave_out("vde_switch", vde.why_not());
  for (const std::uint32_t bytes : {64U, 1514U}) {
    const std::uint64_t frames = bytes == 64 ? 2'000'000 : 500'000;
    const std::string size = std::to_string(bytes) + " B";
    std::vector<bench::Variant> variants = {
        {"shm:", [=] { return ours(frames, bytes, 1); }},
        {"bare ring, 1 copy", [=] { return bare(frames, bytes, Receiver::in_place); }},
        {"bare ring, 2 copies", [=] { return bare(frames, bytes, Receiver::copies_out); }}};
    std::vector<bench::Bar> bars = {{"bare ring, 1 copy", 0.25}, {"bare ring, 2 copies", 0}};
    if (vde.why_not().empty()) {
      variants.push_back({"vde_switch", [&vde, bytes] { return vde.run(5'000, bytes, kBurst); }});
      bars.push_back({"vde_switch", 50});
    }
    bench::Comparison("shm: two attachers, bursts of 32, " + size, variants, bars).run(rounds);
    bench::Comparison("shm: eight attachers, a frame to seven, " + size,
                      {{"one sends", [=] { return ours(frames / 4, bytes, 7); }},
                       {"all send in turn", [=] { return all_to_all(frames / 4, bytes); }}},
                      {})
        .run(rounds);
  }
}
