// SPDX-License-Identifier: BSD-2-Clause
// The events of a Tracing in the kernel, too: each is registered there, and written there while perf, ftrace or a BPF
// program of the host records it. What sessions record is not touched by what the kernel does or refuses.
//
// The kernel has one group: the events of ours come as GROUP_EVENT. Its own rules hold there: an event of the same name
// and other fields, somebody's whom we do not know, is refused.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/pages_port.hpp"
#include "services/trace/tracing.hpp"
#include "services/trace/user_events_port.hpp"

namespace vif::trace {

class VIF_API KernelEvents final : public Probe, private EventWatch {
 public:
  // Registers the events there are, and those that come. All three are borrowed. EBUSY: kProbesMax probes are there;
  // ENOMEM. What the kernel refuses is counted.
  static Result<std::unique_ptr<KernelEvents>> open(Tracing& tracing, PagesPort& pages, UserEventsPort& kernel);
  // Unregisters them. No writer may be in a Writer::Section that began before stop().
  ~KernelEvents() override;
  // Nothing is written to the kernel any more.
  void stop();

  // Enables here what the kernel has begun to record since the last time, disables what nobody there records any more,
  // and unregisters what is gone here; gives how many the kernel records. The control side, a few times a second: until
  // then the kernel gets nothing of an event, and one that it gave up costs its test.
  std::size_t follow();

  // Events the kernel did not register, and why the last; empty: there was none.
  std::size_t refused() const { return refused_; }
  const std::string& why_refused() const { return why_refused_; }
  // Records the kernel did not take, of events that it records. Any thread.
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  ProbeKind kind() const override { return ProbeKind::other; }
  // EFAULT also: the kernel says so.
  int record(Writer& writer, const UserEvent& event, const Payload& payload) override;

 private:
  // An event in the kernel. Kept to the end, as a writer may be looking at one, and the kernel at its word.
  struct Forward {
    std::atomic<std::uint32_t> word{0};  // the kernel's
    std::uint16_t type_id = 0;
    std::int32_t index = -1;  // to write by
    bool is_registered = false;
    bool is_here = false;  // for follow()
  };
  using Table = std::atomic<Forward*>;

  KernelEvents(Tracing& tracing, PagesPort& pages, UserEventsPort& kernel);

  void event_created(UserEvent& event) override;
  int add(Forward& forward, const std::string& command, std::uint16_t flags);
  void remove(Forward& forward);
  Table& forward_of(const UserEvent& event) const;

  Tracing& tracing_;
  UserEventsPort& kernel_;
  Pages table_;  // a Table for each type id
  unsigned place_ = kProbesMax;
  bool forwards_ = false;  // it has its place
  std::deque<Forward> all_;
  std::size_t refused_ = 0;
  std::string why_refused_;
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace vif::trace
