// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/replay.hpp"

#include <array>

#include "hypercall/digest.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBudgetFrames = 1024;
constexpr int kRoundsPerProgress = 256;

// What the interface passes up, counted, digested and copied; and the end of the file, which is the carrier going.
class Passed final : public net::IfInput {
 public:
  explicit Passed(const ReplayRequest& request) : request_(request) {}

  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    if (!request_.filter.insns().empty() && net::bpf_filter(request_.filter, *packet) == 0) {
      return ifp.drop(DropReason::filtered, *packet);
    }
    std::array<std::byte, 4> length;
    store_be32(length.data(), packet->pkthdr.len);
    digest_.update(length);
    for (const net::Mbuf* piece = packet.get(); piece != nullptr; piece = piece->next()) digest_.update(piece->bytes());
    ++frames_;
    bytes_ += packet->pkthdr.len;
    if (request_.copy && copy_error_.empty()) {
      if (const Status copied = request_.copy(*packet); !copied) copy_error_ = copied.error().text;
    }
  }

  void report(ReplayReport& report) {
    report.passed_frames = frames_;
    report.passed_bytes = bytes_;
    report.passed_sha256 = digest_.hex();
    if (report.error.empty()) report.error = copy_error_;
  }

 private:
  const ReplayRequest& request_;
  Sha256 digest_;
  std::uint64_t frames_ = 0, bytes_ = 0;
  std::string copy_error_;
};

// Asks everything of the interface that the request holds and that needs no link.
Status prepare(const ReplayRequest& request, net::Ifnet& ifp) {
  if (request.lladdr) {
    if (Status done = ifp.ioctl(net::SetLladdr{*request.lladdr}); !done) return done;
  }
  for (const net::MacAddress& group : request.join) {
    if (Status done = ifp.ioctl(net::AddMulti{net::MacRange::single(group)}); !done) return done;
  }
  if (request.allmulti) {
    if (Status done = ifp.ioctl(net::SetAllmulti{true}); !done) return done;
  }
  if (request.promisc) {
    if (Status done = ifp.ioctl(net::SetPromisc{true}); !done) return done;
  }
  return ifp.ioctl(net::SetMtu{request.mtu_bytes.value_or(ifp.mtu_bytes_max())});
}

Status link_up(const std::string& path, net::Ifnet& ifp) {
  const drv::Linkstr link{.scheme = "pcap", .argument = path, .argument_nested = false, .options = {}};
  if (Status done = ifp.ioctl(net::SetLinkstr{link.format()}); !done) return done;
  return ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP});
}

void run_to_end(const ReplayRequest& request, net::Ifnet& ifp) {
  net::Domain& domain = ifp.domain();
  for (int rounds = 1; ifp.link_state() != net::LinkState::down; ++rounds) {
    domain.poll(domain.now(), kBudgetFrames);
    if (request.progress && rounds % kRoundsPerProgress == 0) request.progress(ifp.counters.read().received());
  }
}

}  // namespace

Result<ReplayReport> replay(const ReplayRequest& request, const std::string& path, net::IfCloneTable& interfaces) {
  Result<net::Ifnet*> created = interfaces.create("virt");
  if (!created) return std::move(created).error();
  net::Ifnet& ifp = **created;
  const std::string name = ifp.name();
  Passed passed(request);
  ifp.set_input(&passed);

  ReplayReport report;
  Status prepared = prepare(request, ifp);
  if (prepared) {
    if (Status linked = link_up(path, ifp); !linked) report.error = linked.error().text;
    else run_to_end(request, ifp);
    if (const auto* driver = dynamic_cast<drv::Virtif*>(interfaces.find_clone(name)); report.error.empty()) {
      report.error = driver->link_error();
    }
    report.data = ifp.counters.read();
    report.frames = report.data.received();
    passed.report(report);
  }
  if (Status gone = interfaces.destroy(name); !gone) return std::move(gone).error();
  if (!prepared) return std::move(prepared).error();
  return report;
}

}  // namespace vif::host
