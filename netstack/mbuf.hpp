// SPDX-License-Identifier: BSD-2-Clause
// The packet buffer of BSD: a piece of storage with room before and after its bytes, linked into chains.
//
// A packet is a chain owned by one MbufPtr; its first mbuf's `pkthdr` speaks for the whole. Storage is fixed when the
// pool is made. An mbuf belongs to its pool's domain and never leaves that domain's thread: crossing is a copy.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/offload.hpp"

namespace vif::net {

class Mbuf;
class MbufPool;

struct VIF_API MbufFree {
  void operator()(Mbuf* chain) const noexcept;  // m_freem: the whole chain back to its pool
};
using MbufPtr = std::unique_ptr<Mbuf, MbufFree>;

enum MbufFlag : std::uint16_t {
  M_BCAST = 1 << 0,    // sent or received as broadcast
  M_MCAST = 1 << 1,    // sent or received as multicast (not broadcast)
  M_PROMISC = 1 << 2,  // only here because the interface is promiscuous
  M_VLANTAG = 1 << 3,  // vlan_tci holds the tag, which is no longer in the bytes
};

struct PktHdr {
  std::uint32_t len = 0;          // bytes of the whole chain
  std::uint32_t wire_len = 0;     // bytes on the wire when a capture cut the frame; 0: as `len`
  std::uint32_t rcvif = 0;        // index of the receiving interface; 0: sent by us
  std::uint16_t flags = 0;        // MbufFlag
  std::uint16_t vlan_tci = 0;     // IEEE 802.1Q tag control information, with M_VLANTAG
  std::int64_t timestamp_ns = 0;  // since 1970-01-01 UTC; 0: unknown
  Offload offload;
};

class VIF_API Mbuf {
 public:
  Mbuf() = default;
  Mbuf(const Mbuf&) = delete;
  Mbuf& operator=(const Mbuf&) = delete;

  Bytes bytes() const { return {data_, len_}; }
  std::byte* data() { return data_; }
  std::uint32_t len() const { return len_; }
  std::size_t headroom() const { return static_cast<std::size_t>(data_ - storage_); }
  std::size_t tailroom() const { return storage_bytes_ - headroom() - len_; }
  const Mbuf* next() const { return next_; }

  PktHdr pkthdr;  // of the chain's first mbuf

 private:
  friend class MbufPool;
  friend struct MbufFree;
  friend VIF_API void m_cat(MbufPtr& m, MbufPtr tail);
  friend VIF_API std::byte* m_prepend(MbufPtr& m, std::size_t bytes);
  friend VIF_API void m_trim_front(MbufPtr& m, std::size_t bytes);
  friend VIF_API void m_trim_back(MbufPtr& m, std::size_t bytes);
  friend VIF_API void m_copyback(Mbuf& m, std::size_t offset, Bytes from);
  friend VIF_API bool m_pullup(MbufPtr& m, std::size_t bytes);

  std::byte* data_ = nullptr;
  std::uint32_t len_ = 0;
  std::uint32_t storage_bytes_ = 0;
  std::byte* storage_ = nullptr;
  Mbuf* next_ = nullptr;
  MbufPool* pool_ = nullptr;
  void (*release_)(void* cookie, MutBytes storage) = nullptr;  // of external storage
  void* cookie_ = nullptr;
  std::uint8_t storage_class_ = 0;
};

// Appends `tail` to the packet `m`.
VIF_API void m_cat(MbufPtr& m, MbufPtr tail);

// Makes room for `bytes` more in front and returns where they are, uninitialised. Null when a new mbuf was needed and
// the pool is empty; `m` is then as before.
VIF_API std::byte* m_prepend(MbufPtr& m, std::size_t bytes);

// Takes `bytes` (at most the packet's length) off the front, or off the end.
VIF_API void m_trim_front(MbufPtr& m, std::size_t bytes);
VIF_API void m_trim_back(MbufPtr& m, std::size_t bytes);

// Copies from `offset` into `to`; the packet has offset + to.size() bytes.
VIF_API void m_copydata(const Mbuf& m, std::size_t offset, MutBytes to);

// Writes `from` over the packet's bytes at `offset`; the packet has offset + from.size() bytes.
VIF_API void m_copyback(Mbuf& m, std::size_t offset, Bytes from);

// The first `bytes` (at most the packet's length) in one piece, so that m->data() may be read that far. False when the
// pool is empty; `m` is then as before. Asked for all of pkthdr.len it linearises the packet.
VIF_API bool m_pullup(MbufPtr& m, std::size_t bytes);

// Pieces with bytes in them: what a gather of the chain needs.
VIF_API std::size_t m_segments(const Mbuf& m);

}  // namespace vif::net
