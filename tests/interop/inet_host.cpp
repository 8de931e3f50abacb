// SPDX-License-Identifier: BSD-2-Clause
// A host of netstack/inet for tests with real peers: an IP stack on the links named, a UDP echo, and commands on
// standard input, a line each, answered by a line of JSON each. Ends with its standard input; its last line is "state".
//
// usage: inet_host [--forwarding] [--no-ip6] LINKSTR... ; says {} when it can be reached.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "netstack/inet/dhcp_client.hpp"
#include "tests/interop/inet_state.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace vif::net::inet;
using nlohmann::json;

constexpr std::uint16_t kEchoPort = 7;     // RFC 862
constexpr std::uint16_t kEchoId = 0x5646;  // of our own pings

std::string flat_text(const net::Mbuf& packet) {
  std::string text(packet.pkthdr.len, '\0');
  net::m_copydata(packet, 0, std::as_writable_bytes(std::span(text)));
  return text;
}

class InetHost final : private EchoListener, private InetListener, private DhcpListener {
 public:
  InetHost(host::Loop& loop, const InetConfig& config) : domain_(loop.domain()), inet_(domain_, config) {
    inet_.listen(static_cast<EchoListener&>(*this));
    inet_.listen(static_cast<InetListener&>(*this));
  }

  Status add(net::IfCloneTable& table, const std::string& linkstr) {
    Result<net::Ifnet*> made = table.create("virt");
    if (!made) return std::move(made).error();
    interfaces_.push_back(*made);
    if (Status linked = (*made)->ioctl(net::SetLinkstr{linkstr}); !linked) return linked;
    return inet_.attach(**made);
  }

  Status open_echo() {
    Result<std::unique_ptr<UdpSocket>> opened = inet_.open_udp({.port = kEchoPort});
    if (!opened) return std::move(opened).error();
    echo_ = std::move(*opened);
    echo_->on_readable([this] { echo_what_came(); });
    return {};
  }

  json state() const {
    json all = state_of(inet_, interfaces_);
    all["udp"] = {{"datagrams", datagrams_}, {"to_groups", to_groups_}, {"errors", udp_errors_}};
    all["replies"] = replies_;
    all["mbufs"] = domain_.pool().in_use();
    if (dhcp_) all["dhcp"] = state_of(*dhcp_);
    all["events"] = events_;
    return all;
  }

  // One command: its answer.
  json obey(const std::string& line);

 private:
  using Words = std::istringstream;
  Status change_address(Words& words);
  Status change_group(Words& words);
  Status add_route(Words& words);
  Status change_dhcp(Words& words);
  Status set_mtu(Words& words);
  Status ping(Words& words);
  Status send_udp(Words& words);

  Result<net::Ifnet*> interface(Words& words) const {
    std::size_t index = interfaces_.size();
    if (!(words >> index) || index >= interfaces_.size()) return fail(std::errc::invalid_argument, "no such interface");
    return interfaces_[index];
  }
  template <class Value>
  static Result<Value> parsed(Words& words) {
    std::string text;
    words >> text;
    return Value::parse(text);
  }

  void echo_what_came() {
    while (std::optional<UdpDatagram> datagram = echo_->receive()) {
      ++datagrams_;
      if (datagram->to.is_multicast()) ++to_groups_;
      const UdpTo back{.address = datagram->from, .port = datagram->from_port, .via = datagram->in};
      if (Status sent = echo_->send_to(std::move(datagram->payload), back); !sent)
        udp_errors_.push_back(sent.error().text);
    }
    if (std::optional<Error> error = echo_->take_error()) udp_errors_.push_back(error->text);
  }
  void echo_replied(const EchoReply& reply) override {
    if (reply.id != kEchoId) return;
    replies_.push_back({{"from", reply.from.to_string()},
                        {"sequence", reply.sequence},
                        {"hops", reply.hops},
                        {"whole", flat_text(reply.payload) == asked_}});
  }
  void address_changed(net::Ifnet& ifp, const InterfaceAddress& address, AddressEvent event) override {
    constexpr std::array kEvents = {"ready", "duplicate", "conflict", "deprecated", "gone"};
    events_.push_back({ifp.name(), address.prefix.to_string(), kEvents[static_cast<std::size_t>(event)]});
  }

  void lease_changed(net::Ifnet& ifp, const DhcpLease* lease) override {
    events_.push_back(
        {ifp.name(), lease != nullptr ? lease->address.to_string() : "", lease != nullptr ? "leased" : "lease over"});
  }

  // What was heard: outlives whoever speaks at its own end.
  std::string asked_;  // the payload of the last echo request
  std::uint16_t sequence_ = 0;
  std::uint64_t datagrams_ = 0, to_groups_ = 0;
  json udp_errors_ = json::array(), replies_ = json::array(), events_ = json::array();

  net::Domain& domain_;
  Inet inet_;
  std::vector<net::Ifnet*> interfaces_;
  std::unique_ptr<UdpSocket> echo_;
  std::unique_ptr<DhcpClient> dhcp_;
};

// address IF PREFIX at_once|probe|gone
Status InetHost::change_address(Words& words) {
  const Result<net::Ifnet*> ifp = interface(words);
  if (!ifp) return ifp.error();
  const Result<IpPrefix> prefix = parsed<IpPrefix>(words);
  if (!prefix) return prefix.error();
  std::string how;
  words >> how;
  if (how == "gone") return inet_.remove_address(**ifp, prefix->address);
  return inet_.add_address(**ifp, *prefix, how == "probe" ? Claim::probe : Claim::at_once);
}

// group IF ADDRESS join|leave
Status InetHost::change_group(Words& words) {
  const Result<net::Ifnet*> ifp = interface(words);
  if (!ifp) return ifp.error();
  const Result<IpAddress> group = parsed<IpAddress>(words);
  if (!group) return group.error();
  std::string how;
  words >> how;
  return how == "leave" ? inet_.leave(**ifp, *group) : inet_.join(**ifp, *group);
}

// route PREFIX GATEWAY
Status InetHost::add_route(Words& words) {
  const Result<IpPrefix> to = parsed<IpPrefix>(words);
  if (!to) return to.error();
  const Result<IpAddress> gateway = parsed<IpAddress>(words);
  if (!gateway) return gateway.error();
  return inet_.add_route({.to = *to, .gateway = *gateway});
}

// dhcp IF start|release
Status InetHost::change_dhcp(Words& words) {
  const Result<net::Ifnet*> ifp = interface(words);
  if (!ifp) return ifp.error();
  std::string how;
  words >> how;
  if (how == "start") {
    dhcp_ = std::make_unique<DhcpClient>(inet_, **ifp, static_cast<DhcpListener&>(*this));
    return dhcp_->start();
  }
  if (dhcp_) dhcp_->release();
  return {};
}

// mtu IF BYTES
Status InetHost::set_mtu(Words& words) {
  const Result<net::Ifnet*> ifp = interface(words);
  if (!ifp) return ifp.error();
  std::uint32_t bytes = 0;
  words >> bytes;
  return (*ifp)->ioctl(net::SetMtu{bytes});
}

// ping ADDRESS BYTES [IF]
Status InetHost::ping(Words& words) {
  const Result<IpAddress> to = parsed<IpAddress>(words);
  if (!to) return to.error();
  std::size_t bytes = 0;
  words >> bytes;
  const Result<net::Ifnet*> via = interface(words);
  asked_.resize(bytes);
  for (std::size_t i = 0; i < bytes; ++i) asked_[i] = static_cast<char>(i * 7 + bytes);
  return inet_.ping({.to = *to,
                     .id = kEchoId,
                     .sequence = ++sequence_,
                     .payload = as_bytes(std::span(asked_)),
                     .via = via ? *via : nullptr});
}

// udp ADDRESS PORT BYTES [IF]
Status InetHost::send_udp(Words& words) {
  const Result<IpAddress> to = parsed<IpAddress>(words);
  if (!to) return to.error();
  std::uint16_t port = 0;
  std::size_t bytes = 0;
  words >> port >> bytes;
  const Result<net::Ifnet*> via = interface(words);
  const std::string payload(bytes, 'u');
  return echo_->send_to(as_bytes(std::span(payload)), {.address = *to, .port = port, .via = via ? *via : nullptr});
}

json InetHost::obey(const std::string& line) {
  static const std::map<std::string, Status (InetHost::*)(Words&)> kCommands = {{"address", &InetHost::change_address},
                                                                                {"group", &InetHost::change_group},
                                                                                {"route", &InetHost::add_route},
                                                                                {"dhcp", &InetHost::change_dhcp},
                                                                                {"mtu", &InetHost::set_mtu},
                                                                                {"ping", &InetHost::ping},
                                                                                {"udp", &InetHost::send_udp}};
  Words words(line);
  std::string command;
  words >> command;
  if (command == "state") return state();
  const auto found = kCommands.find(command);
  if (found == kCommands.end()) return {{"error", "no such command: " + line}};
  const Status done = (this->*found->second)(words);
  return done ? json::object() : json{{"error", done.error().text}};
}

// Until standard input ends.
void serve(host::Loop& loop, host::LinuxClock& clock, InetHost& here) {
  std::string input;
  std::array<char, 4096> chunk;
  for (;;) {
    const bool more = loop.poll(64);
    const std::optional<Time> due = loop.next_deadline();
    const Time wait = more ? Time{0} : due ? std::max(*due - clock.now(), Time{0}) : std::chrono::hours(1);
    std::array<pollfd, 2> ready = {{{loop.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), static_cast<int>(wait / std::chrono::milliseconds(1)) + 1);
    loop.poll(64);  // so that a command's time is now
    if ((ready[1].revents & (POLLIN | POLLHUP)) == 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got <= 0) return;
    input.append(chunk.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = input.find('\n')) != std::string::npos; input.erase(0, end + 1)) {
      std::cout << here.obey(input.substr(0, end)) << std::endl;
    }
  }
}

int failed(const Status& status) {
  std::cerr << "inet_host: " << status.error().text << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  InetConfig config;
  std::vector<std::string> linkstrs;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--forwarding") config.forwarding = true;
    else if (word == "--no-ip6") config.ip6 = false;
    else linkstrs.push_back(word);
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(std::move(loop).error());
  host::Instance instance({clock, files});
  net::IfCloneTable& table = instance.attach(**loop);
  InetHost here(**loop, config);
  for (const std::string& linkstr : linkstrs) {
    if (Status added = here.add(table, linkstr); !added) return failed(added);
  }
  if (Status opened = here.open_echo(); !opened) return failed(opened);
  std::cout << json::object() << std::endl;
  serve(**loop, clock, here);
  std::cout << here.state() << std::endl;
}
