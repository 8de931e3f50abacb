// SPDX-License-Identifier: BSD-2-Clause
// One network interface as the stack above and the driver below see it: BSD's struct ifnet and ethercom.
//
// The driver owns it (it is a member of the softc), a domain lists it. Everything is for the domain's thread, except
// the counters, which any thread may read.
#pragma once

#include <optional>
#include <string>

#include "netstack/bpf_tap.hpp"
#include "netstack/domain.hpp"
#include "netstack/if_data.hpp"
#include "netstack/if_flags.hpp"
#include "netstack/if_queue.hpp"
#include "netstack/if_request.hpp"
#include "netstack/multicast_list.hpp"

namespace vif::net {

class Ifnet;

// What an interface needs from its driver: BSD's if_init, if_stop, if_start and if_ioctl.
class IfDriver {
 public:
  virtual ~IfDriver() = default;

  // Starts moving frames and sets IFF_RUNNING; not called while running. On error nothing has changed.
  virtual Status if_init() = 0;
  // Stops moving frames, clears IFF_RUNNING, purges the queue.
  virtual void if_stop() = 0;
  // Sends what is queued, as far as the backend takes it.
  virtual void if_start() = 0;
  // Every request enters here; what the driver does not know it hands to ether_ioctl.
  virtual Status if_ioctl(const IfRequest& request) = 0;
};

// Who gets the frames an interface passes up (BSD's if_input; ether_input unless replaced). The packet is the callee's.
//
// pkthdr.offload says what its sender left to do. A stack that ends connections here has nothing to do: a super-frame
// is one long packet, and a checksum that is open (kNeedsChecksum) or verified (kDataValid) needs no check. Who passes
// the frame on to an interface leaves it as it is: the driver there does what its link does not. Who needs it as on the
// wire calls complete_checksum (checksum.hpp), or cuts it with a Segmenter (segmenter.hpp).
class IfInput {
 public:
  virtual ~IfInput() = default;
  virtual void input(Ifnet& ifp, MbufPtr packet) = 0;
};

class VIF_API Ifnet {
 public:
  static constexpr std::uint32_t kMtuMin = 46;  // IEEE 802.3: the smallest payload
  static constexpr std::uint32_t kMtuDefault = 1500;

  // `base` and `unit` make the name: virt, 0.
  Ifnet(Domain& domain, IfDriver& driver, std::string base, std::uint32_t unit, std::size_t send_queue_frames);
  Ifnet(const Ifnet&) = delete;
  Ifnet& operator=(const Ifnet&) = delete;

  Domain& domain() const { return domain_; }
  const std::string& name() const { return name_; }
  std::uint32_t unit() const { return unit_; }
  std::uint32_t index() const { return index_; }

  std::uint32_t flags() const { return flags_; }
  bool is(IfFlag flag) const { return flags_ & flag; }
  std::uint32_t mtu_bytes() const { return mtu_bytes_; }
  std::uint32_t mtu_bytes_max() const { return mtu_bytes_max_; }
  const MacAddress& lladdr() const { return lladdr_; }
  LinkState link_state() const { return link_state_; }
  std::uint64_t baudrate() const { return baudrate_; }              // bits per second; 0: unknown
  std::uint32_t promisc_count() const { return promisc_count_; }    // who asked for IFF_PROMISC
  std::uint32_t allmulti_count() const { return allmulti_count_; }  // and for IFF_ALLMULTI

  IfCounters counters;
  IfQueue snd;
  BpfTaps taps;
  const MulticastList& groups() const { return groups_; }

  // Any change goes through here, to the driver's if_ioctl. Errors change nothing.
  Status ioctl(const IfRequest& request);

  void set_input(IfInput* input) { input_ = input; }  // null: ether_input
  void input(MbufPtr packet);

  // Protocols of this interface alone, asked before the domain's: so several stacks share a domain. Null: none.
  void set_demux(const EtherDemux* demux) { demux_ = demux; }
  const EtherDemux* demux() const { return demux_; }

  // Counts frames that go no further, and tells it to who records that (Domain::trace). What is known of a frame: its
  // length and its header, or as much as lies at `begin` from the header on.
  void drop(DropReason reason, std::uint64_t frames = 1) {
    counters.drop(reason, frames);
    if (domain_.trace().wants(reason)) [[unlikely]]
      trace_drop(reason, frames, 0, nullptr);
  }
  void drop(DropReason reason, std::size_t bytes, const EtherHeader& header) {
    counters.drop(reason);
    if (domain_.trace().wants(reason)) [[unlikely]]
      trace_drop(reason, 1, bytes, &header);
  }
  void drop(DropReason reason, std::size_t bytes, Bytes begin) {
    counters.drop(reason);
    if (domain_.trace().wants(reason)) [[unlikely]]
      trace_drop(reason, bytes, begin);
  }
  void drop(DropReason reason, const Mbuf& frame) { drop(reason, frame.pkthdr.len, frame.bytes()); }

  // Queues a whole frame (Ethernet header included) and starts the driver. What the frame's pkthdr says of a way in
  // (rcvif, M_BCAST, M_MCAST, M_PROMISC, a verified checksum) is replaced. On error the packet is gone and counted:
  // ENETDOWN (not UP and RUNNING, or no carrier), EINVAL (no whole Ethernet header), EMSGSIZE, ENOBUFS; without text.
  Status transmit(MbufPtr frame);

  // --- for the driver and ether_ioctl ---
  void set_flag(IfFlag flag, bool on);
  void set_user_flags(std::uint32_t flags);  // the bits of kUserFlags
  void set_mtu(std::uint32_t mtu_bytes) { mtu_bytes_ = mtu_wanted_bytes_ = mtu_bytes; }
  void set_mtu_max(std::uint32_t mtu_bytes_max);  // the MTU is what set_mtu asked for, or this when it is less
  void set_lladdr(const MacAddress& lladdr) { lladdr_ = lladdr; }
  // Tells the domain's listeners when it is new. `why`: what is known of it, for who records that.
  void set_link_state(LinkState state, std::string_view why = {});
  void set_baudrate(std::uint64_t bits_per_second) { baudrate_ = bits_per_second; }
  MulticastList& groups() { return groups_; }
  // Counts one more or one less; true when the flag changed. EINVAL: more off than on.
  Result<Reprogram> count_promisc(bool on);
  Result<Reprogram> count_allmulti(bool on);
  void update_allmulti();         // from the count and the group list
  void purge(DropReason reason);  // drops and counts what is queued
  IfDriver& driver() const { return driver_; }

 private:
  friend class Domain;  // gives the index

  void trace_drop(DropReason reason, std::uint64_t frames, std::size_t bytes, const EtherHeader* header) const;
  void trace_drop(DropReason reason, std::size_t bytes, Bytes begin) const;
  Result<Reprogram> count(std::uint32_t& counter, bool on, const char* what);

  Domain& domain_;
  IfDriver& driver_;
  std::string name_;
  std::uint32_t unit_;
  std::uint32_t index_ = 0;
  std::uint32_t flags_ = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
  std::uint32_t mtu_bytes_ = kMtuDefault;
  std::uint32_t mtu_wanted_bytes_ = kMtuDefault;
  std::uint32_t mtu_bytes_max_;
  MacAddress lladdr_{};
  LinkState link_state_ = LinkState::unknown;
  std::uint64_t baudrate_ = 0;
  std::uint32_t promisc_count_ = 0, allmulti_count_ = 0;
  MulticastList groups_;
  IfInput* input_ = nullptr;
  const EtherDemux* demux_ = nullptr;
};

}  // namespace vif::net
