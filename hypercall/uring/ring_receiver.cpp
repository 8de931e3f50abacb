// SPDX-License-Identifier: BSD-2-Clause
// Receive rings shared with the kernel: what takes their memory, and one receiver for whole blocks, one for single
// slots. Frames are delivered where they lie.
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <vector>

#include "hypercall/host_error.hpp"
#include "hypercall/uring/packet_frame.hpp"
#include "hypercall/uring/packet_receiver.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/mbuf_pool.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;  // the largest frame fits one several times
constexpr unsigned kRetireMs = 1;                            // a block that is not full is handed over after this long
constexpr std::size_t kSlotBytesMin = 2048;
constexpr std::size_t kBeforeFrame = 128;  // the kernel's notes, the room we reserve, and what aligns
constexpr std::size_t kBurst = 32;

// What the kernel leaves between its notes and a frame, so that the IP header is 16-aligned and there is room in front
// for a tag, whether or not the offload stands there.
constexpr int reserve(bool vnet) { return vnet ? 6 : 16; }

class RingMemory {
 public:
  RingMemory() = default;
  RingMemory(RingMemory&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  RingMemory& operator=(RingMemory&&) = delete;
  ~RingMemory() {
    if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
  }

  // Of a socket that has no ring yet.
  template <class Request>
  static Result<RingMemory> make(PacketSocket& socket, int version, bool vnet, const Request& request) {
    if (Status set = socket.set(PACKET_VERSION, version, "choose a packet ring's version"); !set) return error(set);
    if (Status set = socket.set(PACKET_RESERVE, reserve(vnet), "reserve room before frames"); !set) return error(set);
    // For frames above a slot: they come by the socket's queue.
    if (Status set = socket.set(PACKET_COPY_THRESH, 1, "have large frames copied"); !set) return error(set);
    if (Status set = socket.set(PACKET_RX_RING, request, "make a receive ring"); !set) return error(set);
    const std::size_t bytes = std::size_t{request.tp_block_size} * request.tp_block_nr;
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, socket.fd(), 0);
    if (at == MAP_FAILED) return host_error("cannot map a receive ring");
    RingMemory ring;
    ring.memory_ = {static_cast<std::byte*>(at), bytes};
    return ring;
  }

  MutBytes bytes() const { return memory_; }

 private:
  static Error error(Status& failed) { return std::move(failed).error(); }

  MutBytes memory_;  // of the kernel's, mapped
};

// The word by which a block or slot changes hands, TP_STATUS_*; `word` lies in the ring.
bool is_ours(std::byte* word) {
  const std::atomic_ref status(*reinterpret_cast<std::uint32_t*>(word));
  return (status.load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}
void give_back(std::byte* word) {
  const std::atomic_ref status(*reinterpret_cast<std::uint32_t*>(word));
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
}

class BlockRing final : public PacketReceiver {
 public:
  BlockRing(PacketSocket socket, bool vnet, RingMemory ring)
      : PacketReceiver(std::move(socket), vnet), ring_(std::move(ring)) {}

  Result<Drained> drain(std::size_t budget, drv::LinkSink& sink) override {
    std::array<drv::RxFrame, kBurst> burst;
    Drained drained;
    while (drained.delivered < budget && (reading_ || open_block())) {
      const std::size_t room = std::min(burst.size(), budget - drained.delivered);
      const std::size_t n = reader_.read(std::span(burst).first(room), drained.lost);
      if (n > 0) sink.deliver(std::span(burst).first(n));
      drained.delivered += n;
      if (reader_.done()) close_block();
    }
    drained.more = reading_ || is_ours(status_of_block());
    return drained;
  }

  std::string words() const override {
    return "TPACKET_V3 ring, " + std::to_string(ring_.bytes().size() / kBlockBytes) + " blocks of " +
           std::to_string(kBlockBytes >> 10) + " KiB";
  }

 private:
  MutBytes block() const { return ring_.bytes().subspan(current_ * kBlockBytes, kBlockBytes); }
  std::byte* status_of_block() const { return block().data() + offsetof(tpacket_block_desc, hdr.bh1.block_status); }

  bool open_block() {
    if (!is_ours(status_of_block())) return false;
    reader_ = BlockReader(block(), vnet_);
    return reading_ = true;
  }
  void close_block() {
    give_back(status_of_block());
    reading_ = false;
    current_ = (current_ + 1) % (ring_.bytes().size() / kBlockBytes);
  }

  RingMemory ring_;
  std::size_t current_ = 0;  // the block that is or will be read
  bool reading_ = false;
  BlockReader reader_;
};

class SlotRing final : public PacketReceiver {
 public:
  SlotRing(PacketSocket socket, bool vnet, RingMemory ring, std::size_t slot_bytes)
      : PacketReceiver(std::move(socket), vnet),
        ring_(std::move(ring)),
        slot_bytes_(slot_bytes),
        large_(kVnetHeaderBytes + net::kFrameBytesMax) {}

  Result<Drained> drain(std::size_t budget, drv::LinkSink& sink) override {
    Drained drained;
    while (drained.delivered < budget && is_ours(slot(0).data())) {
      if ((status_of(slot(0)) & TP_STATUS_COPY) != 0) {
        take_large(sink, drained);
        continue;
      }
      take_burst(budget, sink, drained);
    }
    drained.more = is_ours(slot(0).data());
    return drained;
  }

  std::string words() const override {
    return "TPACKET_V2 ring, " + std::to_string(slots()) + " slots of " + std::to_string(slot_bytes_) + " bytes";
  }

 private:
  std::size_t slots() const { return ring_.bytes().size() / slot_bytes_; }
  // The one `ahead` of the next; its first word is its status. Slots are a power of two, so they fill their blocks.
  MutBytes slot(std::size_t ahead) const {
    return ring_.bytes().subspan((next_ + ahead) % slots() * slot_bytes_, slot_bytes_);
  }
  static std::uint32_t status_of(MutBytes slot) { return load<std::uint32_t, std::endian::native>(slot.data()); }

  void take_burst(std::size_t budget, drv::LinkSink& sink, Drained& drained) {
    std::array<drv::RxFrame, kBurst> burst;
    const std::size_t room = std::min({burst.size(), budget - drained.delivered, slots()});
    std::size_t n = 0, taken = 0;
    for (; taken < room; ++taken) {
      const MutBytes at = slot(taken);
      if (!is_ours(at.data()) || (status_of(at) & TP_STATUS_COPY) != 0) break;
      if (frame_in_slot(at, vnet_, burst[n]) == Placed::whole) ++n;
      else ++drained.lost;
    }
    if (n > 0) sink.deliver(std::span(burst).first(n));
    drained.delivered += n;
    for (; taken > 0; --taken) release();
  }

  // A frame above the slot, which waits whole in the socket's queue; what the kernel notes of it is in the slot.
  void take_large(drv::LinkSink& sink, Drained& drained) {
    const std::size_t vnet_bytes = vnet_ ? kVnetHeaderBytes : 0;
    const MutBytes into = MutBytes(large_).subspan(kVnetHeaderBytes - vnet_bytes);
    const std::size_t bytes = receive(into);
    if (bytes < vnet_bytes || bytes > into.size()) {
      ++drained.lost;
    } else {
      const MutBytes frame = MutBytes(large_).subspan(kVnetHeaderBytes, bytes - vnet_bytes);
      const drv::RxFrame whole = whole_frame(frame, notes_in_slot(slot(0)), vnet_);
      sink.deliver({&whole, 1});
      ++drained.delivered;
    }
    release();
  }
  // How long it is, or 0. The first answer may be an old error of the socket's: that the interface was down.
  std::size_t receive(MutBytes into) {
    for (int tries = 0; tries < 3; ++tries) {
      const ssize_t bytes = ::recv(socket_.fd(), into.data(), into.size(), MSG_TRUNC);
      if (bytes >= 0) return static_cast<std::size_t>(bytes);
    }
    return 0;
  }

  void release() {
    give_back(slot(0).data());
    next_ = (next_ + 1) % slots();
  }

  RingMemory ring_;
  const std::size_t slot_bytes_;
  std::size_t next_ = 0;
  std::vector<std::byte> large_;  // room for an offload, then a frame
};

}  // namespace

Result<std::unique_ptr<PacketReceiver>> open_block_ring(const ReceivePlan& plan) {
  Result<IncomingSocket> incoming = open_incoming(plan);
  if (!incoming) return std::move(incoming).error();
  tpacket_req3 request{};
  request.tp_block_size = kBlockBytes;
  request.tp_block_nr = static_cast<unsigned>(plan.ring_bytes / kBlockBytes);
  request.tp_frame_size = kSlotBytesMin;  // only to be checked: frames lie as close as they are long
  request.tp_frame_nr = request.tp_block_nr * (kBlockBytes / kSlotBytesMin);
  request.tp_retire_blk_tov = kRetireMs;
  Result<RingMemory> ring = RingMemory::make(incoming->socket, TPACKET_V3, incoming->vnet, request);
  if (!ring) return std::move(ring).error();
  return std::unique_ptr<PacketReceiver>(
      std::make_unique<BlockRing>(std::move(incoming->socket), incoming->vnet, std::move(*ring)));
}

Result<std::unique_ptr<PacketReceiver>> open_slot_ring(const ReceivePlan& plan) {
  Result<IncomingSocket> incoming = open_incoming(plan);
  if (!incoming) return std::move(incoming).error();
  const std::size_t needed = kBeforeFrame + plan.mtu_bytes + net::kEtherHeaderBytes + net::kVlanTagBytes;
  const std::size_t slot_bytes = std::clamp(std::bit_ceil(needed), kSlotBytesMin, kBlockBytes);
  tpacket_req request{};
  request.tp_block_size = kBlockBytes;
  request.tp_block_nr = static_cast<unsigned>(plan.ring_bytes / kBlockBytes);
  request.tp_frame_size = static_cast<unsigned>(slot_bytes);
  request.tp_frame_nr = static_cast<unsigned>(plan.ring_bytes / slot_bytes);
  Result<RingMemory> ring = RingMemory::make(incoming->socket, TPACKET_V2, incoming->vnet, request);
  if (!ring) return std::move(ring).error();
  return std::unique_ptr<PacketReceiver>(
      std::make_unique<SlotRing>(std::move(incoming->socket), incoming->vnet, std::move(*ring), slot_bytes));
}

}  // namespace vif::host
