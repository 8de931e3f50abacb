// SPDX-License-Identifier: BSD-2-Clause
// The connector: messages by id to callbacks, and records by group to subscribers. Linux's drivers/connector as a
// value.
//
//   a client's message -> receive() -> the callback of its (idx, val), now, in the sender's call
//   send(), broadcast() -> the ring of each member of a group whose filter says yes -> its reader
//
// On one thread, its domain's; only the rings may be read on others. Subscribers go before their bus.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/connector/message.hpp"
#include "services/connector/mode.hpp"
#include "services/connector/subscriber.hpp"

namespace vif::cn {

// Who a message is from, as far as who brought it knows.
struct Sender {
  Subscriber* subscriber = nullptr;  // null: it sends only
  std::int32_t tid = 0, tgid = 0;
  std::uint32_t uid = 0;
  bool initial_namespaces = true;  // the initial pid and user namespaces
};

class VIF_API Bus {
 public:
  using Callback = std::function<void(const Message&, const Sender&)>;
  // True: this one is sent it. (The kernel's filter says the opposite.)
  using Filter = std::function<bool(const Subscriber&)>;

  // Told before a subscriber is gone.
  class Watch {
   public:
    virtual ~Watch() = default;
    virtual void departing(Subscriber& subscriber) = 0;
  };

  explicit Bus(Mode mode = Mode::safe) : mode_(mode) {}
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  Mode mode() const { return mode_; }

  // The name is cut to 31 bytes. EINVAL, as the kernel: the id is taken. A callback may add and delete, itself
  // included.
  Status add_callback(CbId id, std::string_view name, Callback callback);
  void del_callback(CbId id);  // harmless when there is none
  // The lines of /proc/net/connector.
  std::string callbacks_text() const;

  // A datagram from user space, netlink's header first. What is wrong with it, or for nobody, is dropped in silence.
  void receive(Bytes datagram, const Sender& sender);
  // One message of a packed socket.
  void receive(const Message& message, const Sender& sender);

  // cn_netlink_send and cn_netlink_send_mult. To `port`, or to `group` (but not to `port`), or with neither to the
  // group of the callback with the first message's id. `messages` may hold several, back to back. ENODEV: no such
  // callback. ESRCH: nobody there, or nobody took it. EMSGSIZE: no whole message, or more than 16384 bytes. ENOBUFS:
  // the one at `port` has no room. The filter is asked before anything is copied.
  struct To {
    std::uint32_t port = 0, group = 0;
  };
  Status send(const Message& message, To to);
  Status send_mult(Bytes messages, To to, const Filter& filter = {});

  // To the members of a group for whom wanted(subscriber); make(subscriber, sequence) is asked for the bytes of each,
  // which it keeps until the next. Returns how many took it. Nothing that is not wanted is made.
  template <class Wanted, class Make>
  std::size_t broadcast(std::uint32_t group, std::uint32_t skip_port, Wanted wanted, Make make) {
    std::size_t taken = 0;
    std::uint64_t sequence = 0;
    for (Subscriber* const subscriber : members_[group]) {
      if (subscriber->port() == skip_port || !wanted(*subscriber)) continue;
      if (sequence == 0) sequence = ++sequence_;
      if (subscriber->deliver(make(*subscriber, sequence), sequence)) ++taken;
    }
    return taken;
  }
  // A message to one of them, past the groups. False: it has no room.
  bool unicast(Subscriber& subscriber, const Message& message);
  // So many were lost before they came here: members for whom wanted(subscriber) are told at this place.
  template <class Wanted>
  void lose(std::uint32_t group, std::uint64_t count, Wanted wanted) {
    for (Subscriber* const subscriber : members_[group]) {
      if (wanted(*subscriber)) subscriber->lose(count);
    }
  }

  std::uint64_t sequence() const { return sequence_; }  // of the last record sent
  const std::vector<Subscriber*>& members(std::uint32_t group) const { return members_[group]; }
  void set_watch(Watch* watch) { watch_ = watch; }  // one; null: none

 private:
  friend class Subscriber;
  struct Entry {
    CbId id;
    std::string name;
    Callback callback;
    bool deleted = false;  // while it runs
  };

  std::size_t arrive(Subscriber& subscriber);
  void depart(Subscriber& subscriber);
  Entry* find(CbId id);

  const Mode mode_;
  std::vector<std::unique_ptr<Entry>> callbacks_;
  int running_ = 0;
  std::array<std::vector<Subscriber*>, kGroupMax + 1> members_;  // by group, in the order of joining
  std::vector<Subscriber*> slots_;
  std::uint32_t last_port_ = 0;
  std::uint64_t sequence_ = 0;
  Watch* watch_ = nullptr;
  std::vector<std::byte> scratch_;  // unicast's
};

}  // namespace vif::cn
