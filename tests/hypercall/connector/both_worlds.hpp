// SPDX-License-Identifier: BSD-2-Clause
// One scenario, two connectors: clients of the running kernel, and clients of a bus of ours in kernel mode, who send
// the same bytes and to whom the same happens. After each step everybody has to have heard the same: of events every
// byte, of answers all but the number and processor (quirk Q8: they come from who sends them).
//
// Client 0 listens to everything from the beginning: it is the witness whose events are what happens on our bus, and
// while it is there the kernel's count is at least one, whoever else on this machine comes and goes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "tests/hypercall/connector/live_rig.hpp"

namespace vif::test {

class BothWorlds {
 public:
  BothWorlds() : next_ack_(static_cast<std::uint32_t>(::getpid()) << 12) {
    add_client();
    say(0, cn::test::words(1));
  }
  ~BothWorlds() {
    for (Client& client : clients_) balance(client);
  }

  // No kernel to compare with: why. Else empty.
  std::string why_not() const {
    if (!clients_.front().live.usable()) return "no connector in this kernel, or not in the initial namespaces";
    return witnessed_ ? "" : "the kernel does not answer a listen: not the initial namespaces";
  }

  // Its number. In group 1, or in none.
  std::size_t add_client(bool in_group = true) {
    Client& client = clients_.emplace_back(bus_, in_group);
    EXPECT_TRUE(!in_group || client.ours.join(cn::kProcId.idx));
    return clients_.size() - 1;
  }

  // A request to the process connector; what it is acknowledged with is looked for.
  void say(std::size_t client, const cn::test::ByteVector& payload) { send(client, datagram(payload), payload); }
  cn::test::ByteVector datagram(const cn::test::ByteVector& payload, cn::CbId id = cn::kProcId) {
    return cn::test::datagram_bytes({.id = id, .seq = 0x1234, .ack = next_ack_++, .payload = payload});
  }
  // Any bytes; `counts` is the payload they bring to the connector, if any.
  void send(std::size_t client, const cn::test::ByteVector& datagram, const cn::test::ByteVector& counts = {}) {
    Client& who = clients_[client];
    who.count(counts);
    EXPECT_TRUE(who.live.send(datagram)) << "the kernel drops without a word";
    bus_.receive(datagram, {.subscriber = &who.ours, .tid = ::gettid(), .tgid = ::getpid()});
    compare();
  }
  // A child that does `what` and ends.
  void happens(const std::function<int()>& what) {
    const pid_t pid = run_child(what);
    std::vector<cn::test::Got> told;
    // With all of its threads: a sanitizer may have one of its own in it, which ends last.
    const auto count = [&](cn::What kind) {
      return std::ranges::count_if(told, [&](const cn::test::Got& got) { return got.event().what == kind; });
    };
    const auto has_ended = [&] { return !told.empty() && count(cn::What::fork) == count(cn::What::exit); };
    for (int tries = 0; tries < 200 && !has_ended(); ++tries) {
      for (cn::test::Got& got : clients_.front().live.take(10)) {
        if (got.event().tgid == pid && got.event().what != cn::What::none) told.push_back(std::move(got));
      }
    }
    ASSERT_TRUE(has_ended()) << "the witness missed the exit";
    about_ = pid;
    for (const cn::test::Got& got : told) proc_->relay(got.event(), got.message().seq);
    clients_.front().heard = lines(told);
    compare();
  }
  // What this client heard at the last step, as names.
  const std::string& heard(std::size_t client) const { return clients_[client].names; }

 private:
  struct Client {
    Client(cn::Bus& bus, bool in_group) : live(in_group ? 1 : 0), ours(bus) {}

    RawConnector live;
    cn::Subscriber ours;
    std::vector<std::string> heard;  // already taken from the kernel
    std::string names;
    // The kernel's own bookkeeping of this socket, so that it can be left as it was (quirks Q1 to Q3).
    int counted = 0;
    std::uint32_t last_op = 0;

    void count(const cn::test::ByteVector& payload) {
      const auto request = payload.size() == 4 || payload.size() == 8 ? cn::read_request(payload) : std::nullopt;
      if (!request) return;
      const auto op = static_cast<std::uint32_t>(request->op);
      if (op == 1 && last_op != 1) ++counted;
      if (op == 2 && last_op != 2 && last_op != 0) --counted;
      last_op = op;
    }
  };

  void balance(Client& client) {
    while (client.counted > 0) {
      for (const std::uint32_t op : {99U, 2U}) {
        if (client.last_op != 2 && op == 99) continue;
        const auto payload = cn::test::words(op);
        client.count(payload);
        (void)client.live.send(datagram(payload));
      }
    }
  }

  bool is_ours(const cn::test::Got& got) const {
    const std::uint32_t first = static_cast<std::uint32_t>(::getpid()) << 12;
    if (got.event().what != cn::What::none) return got.event().tgid == about_;
    return got.message().ack > first && got.message().ack <= next_ack_;
  }
  std::vector<std::string> lines(const std::vector<cn::test::Got>& all) const {
    std::vector<std::string> lines;
    for (const cn::test::Got& got : all) {
      if (!is_ours(got)) continue;
      const cn::ProcEvent event = got.event();
      std::string line(name(event.what));
      if (event.what == cn::What::none) {
        line += " " + std::to_string(event.error) + " to " + std::to_string(got.message().ack) + ", " +
                std::to_string(got.bytes.size());
      } else {
        for (const std::byte byte : got.bytes) line += " " + std::to_string(std::to_integer<int>(byte));
      }
      lines.push_back(line);
    }
    return lines;
  }
  void compare() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      Client& client = clients_[i];
      std::vector<std::string> kernel = std::exchange(client.heard, {});
      for (std::string& line : lines(client.live.take(5))) kernel.push_back(std::move(line));
      const auto ours = cn::test::take_all(client.ours);
      EXPECT_EQ(lines(ours), kernel) << "client " << i << ": ours, and the kernel's";
      client.names = cn::test::names(of_first_threads(ours));
      witnessed_ |= !kernel.empty();
    }
  }

  host::LinuxClock clock_;
  cn::Bus bus_{cn::Mode::kernel};
  std::unique_ptr<cn::ProcConnector> proc_ = std::move(*cn::ProcConnector::attach(bus_, clock_, {}));
  std::deque<Client> clients_;
  std::uint32_t next_ack_;
  pid_t about_ = 0;
  bool witnessed_ = false;
};

}  // namespace vif::test
