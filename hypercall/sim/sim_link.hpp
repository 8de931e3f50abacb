// SPDX-License-Identifier: BSD-2-Clause
// A scripted wire. `sim:NAME` opens one; the test holds its other end (SimWire) and says what arrives, what send
// answers, which calls fail, and reads what was sent and in which order the driver called.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "virtif/link.hpp"

namespace vif::host::sim {

// The test's end; it outlives the link on it.
struct VIF_API SimWire {
  using Frame = std::vector<std::byte>;

  // What the next open, start or dying answers; empty: success.
  std::optional<Error> open_error, start_error, dying_error;
  drv::LinkCaps caps{.frame_bytes_max = 65'550, .slices_max = 32};
  bool may_refuse_dying = false;  // whether the link has a dying port at all

  // How send answers its next calls: at most `taken` frames, then `status`. Empty: takes what caps allow.
  std::deque<drv::SendResult> send_answers;

  // Puts a frame on the wire; it is delivered at the next drain, or dropped by the wire while the link is not started.
  void arrive(Frame frame, net::Offload offload = {}, std::int64_t timestamp_ns = 0);
  // What drain reports before delivering; while not started, what the first drain will. Nothing while not open.
  void carrier(net::LinkState state, std::optional<Error> why = {});
  void lose(DropReason reason, std::uint64_t frames);
  // The wire is another from now on: as `caps` say, which are changed first.
  void recapped();
  // Says that send takes frames again.
  void writable();

  std::vector<Frame> sent;               // in one piece each
  std::vector<std::size_t> sent_slices;  // of each
  std::vector<net::Offload> sent_offload;
  std::vector<std::string> calls;  // "open", "start", "filter", "stop", "close", "dying"
  struct {
    net::MacAddress lladdr;
    bool promisc = false, allmulti = false;
    std::vector<net::MacRange> groups;
  } filter;  // as last set
  std::size_t send_calls = 0;
  bool open = false, started = false;

 private:
  friend class SimLink;
  struct Arrival {
    Frame bytes;
    net::Offload offload;
    std::int64_t timestamp_ns;
  };
  std::deque<Arrival> arrivals_;
  std::vector<std::pair<net::LinkState, std::optional<Error>>> carriers_;
  std::vector<std::pair<DropReason, std::uint64_t>> losses_;
  bool recapped_ = false;
  drv::LinkSink* sink_ = nullptr;
};

// Opens `sim:NAME` on the wire of that name; a wire is made when first asked for.
class VIF_API SimWires final : public drv::LinkOpener {
 public:
  SimWire& wire(const std::string& name);
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override;
  Status check(const drv::Linkstr& linkstr) const override;

 private:
  std::map<std::string, std::unique_ptr<SimWire>> wires_;
};

}  // namespace vif::host::sim
