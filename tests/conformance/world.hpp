// SPDX-License-Identifier: BSD-2-Clause
// What the conformance suite must know of a backend to ask it the questions of virtif/link.hpp: how to open one, how to
// make frames arrive, where to see what was sent. A new backend writes one World and adds one line to kBackends.
//
// One thread, except where release() says otherwise.
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "hypercall/sim/sim_host.hpp"
#include "tests/conformance/recording_sink.hpp"

namespace vif::test {

struct Refused {
  std::string linkstr;
  std::string names;  // what the text must contain
};

// Of several lengths.
inline WireFrames some_frames(std::size_t count) {
  WireFrames frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back({ether(kOurMac, 0x88b5, counting(46 + i % 100))});
  return frames;
}

// Everything around one link under test, made new for each test.
class World {
 public:
  virtual ~World() = default;

  // The domain the link will be in; nobody polls it but a world that needs its callouts.
  net::Domain& domain() { return domain_; }

  // Nullopt: it can be done. Else why this backend cannot be asked.
  using CannotAsk = std::optional<std::string>;
  // Whether this host has what the backend stands on (a network namespace, a device, a kernel's feature).
  virtual CannotAsk anything() const { return {}; }

  // The link's other side; called before open().
  // Makes these frames, and no others, what will arrive once released.
  virtual CannotAsk prepare(const WireFrames& frames) = 0;
  // Makes `count` frames arrive, whatever they are.
  virtual CannotAsk prepare_any(std::size_t count) { return prepare(some_frames(count)); }
  // Makes the link fail for good, once released.
  virtual CannotAsk prepare_failure() { return "it cannot fail"; }

  virtual std::string linkstr() const = 0;
  virtual std::vector<Refused> refused() const = 0;
  virtual Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) = 0;

  // Now what was prepared arrives, with the link started. Frames of a backend that makes its own come by themselves.
  virtual void release() {}
  // Whether frames come only when release() says so; with any_thread, whatever thread it is called from.
  virtual bool arrives_when_released() const { return false; }
  virtual bool releases_from_any_thread() const { return false; }

  // What was sent has come out here, in order; nullopt: nobody can see it. Called after stop().
  virtual std::optional<WireFrames> sent() { return std::nullopt; }

 protected:
  host::sim::SimHost host_{1};

 private:
  net::Domain& domain_ = host_.add_domain({.pool = kSmallPool});
};

struct Backend {
  const char* name;
  std::unique_ptr<World> (*make)();
  friend void PrintTo(const Backend& backend, std::ostream* to) { *to << backend.name; }
};

std::unique_ptr<World> make_impair_off_world();
std::unique_ptr<World> make_impair_world();
std::unique_ptr<World> make_mem_world();
std::unique_ptr<World> make_null_world();
std::unique_ptr<World> make_pcap_world();
std::unique_ptr<World> make_shm_world();
std::unique_ptr<World> make_sim_world();
std::unique_ptr<World> make_stream_world();
std::unique_ptr<World> make_stream_bess_world();
std::unique_ptr<World> make_tap_world();
std::unique_ptr<World> make_tap_plain_world();
std::unique_ptr<World> make_pcapdev_world();
std::unique_ptr<World> make_uring_world();
std::unique_ptr<World> make_uring_low_latency_world();
std::unique_ptr<World> make_uring_ringless_world();
std::unique_ptr<World> make_vxlan_world();

// Every backend there is. A new one joins here.
inline constexpr Backend kBackends[] = {
    {"mem", make_mem_world},  // one a line
    {"impair", make_impair_world},
    {"impair_off", make_impair_off_world},
    {"null", make_null_world},
    {"pcap", make_pcap_world},
    {"shm", make_shm_world},
    {"sim", make_sim_world},
    {"stream", make_stream_world},
    {"stream_bess", make_stream_bess_world},
    {"tap", make_tap_world},
    {"tap_plain", make_tap_plain_world},
    {"pcapdev", make_pcapdev_world},
    {"uring", make_uring_world},
    {"uring_low_latency", make_uring_low_latency_world},
    {"uring_ringless", make_uring_ringless_world},
    {"vxlan", make_vxlan_world},
};

}  // namespace vif::test
