// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/mbuf_pool.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace vif::net {
namespace {

// The smallest class with room for `bytes`, or kClasses when there is none.
std::size_t class_for(std::size_t bytes) {
  std::size_t c = 0;
  while (c < MbufPool::kClasses && MbufPool::kStorageBytes[c] - kHeadroomBytes < bytes) ++c;
  return c;
}

}  // namespace

MbufPool::MbufPool(const Config& config) {
  const std::size_t total = std::accumulate(config.counts.begin(), config.counts.end(), std::size_t{config.external});
  mbufs_ = std::make_unique<Mbuf[]>(total);
  Mbuf* m = mbufs_.get();
  for (std::size_t c = 0; c <= kClasses; ++c) {
    const std::uint32_t count = c == kExternal ? config.external : config.counts[c];
    const std::size_t bytes = c == kExternal ? 0 : kStorageBytes[c];
    free_[c].slots = std::make_unique<Mbuf*[]>(count);
    // Left uninitialised on purpose: a page costs memory only once a frame has used it.
    if (c != kExternal) storage_[c].reset(new std::byte[bytes * count]);
    for (std::uint32_t i = 0; i < count; ++i, ++m) {
      m->pool_ = this;
      m->storage_class_ = static_cast<std::uint8_t>(c);
      if (c != kExternal) {
        m->storage_ = storage_[c].get() + bytes * i;
        m->storage_bytes_ = static_cast<std::uint32_t>(bytes);
      }
      free_[c].slots[free_[c].count++] = m;
    }
  }
}

MbufPool::~MbufPool() { assert(in_use() == 0 && "an mbuf outlives its pool: drop every MbufPtr before the domain"); }

Mbuf* MbufPool::pop(std::size_t storage_class) noexcept {
  if (free_[storage_class].count == 0) {
    refused_.add(1);
    return nullptr;
  }
  in_use_.store(in_use() + 1, std::memory_order_relaxed);
  Mbuf* const m = free_[storage_class].slots[--free_[storage_class].count];
  m->len_ = 0;
  m->next_ = nullptr;
  m->pkthdr = {};
  return m;
}

MbufPtr MbufPool::get(std::size_t bytes) noexcept {
  const std::size_t storage_class = class_for(bytes);
  if (storage_class == kClasses) {
    refused_.add(1);
    return nullptr;
  }
  Mbuf* const m = pop(storage_class);
  if (m != nullptr) m->data_ = m->storage_ + kHeadroomBytes;
  return MbufPtr(m);
}

std::size_t MbufPool::get_burst(std::span<MbufPtr> into, std::size_t bytes) noexcept {
  std::size_t taken = 0;
  for (MbufPtr& slot : into) {
    slot = get(bytes);
    if (!slot) break;
    ++taken;
  }
  return taken;
}

void MbufPool::put_burst(std::span<MbufPtr> packets) noexcept {
  for (MbufPtr& packet : packets) packet.reset();
}

MbufPtr MbufPool::copy_in(Bytes frame) noexcept {
  MbufPtr m = get(frame.size());
  if (m) {
    std::copy(frame.begin(), frame.end(), m->data_);
    m->len_ = static_cast<std::uint32_t>(frame.size());
    m->pkthdr.len = m->len_;
  }
  return m;
}

MbufPtr MbufPool::attach_external(MutBytes storage, void (*release)(void*, MutBytes), void* cookie) noexcept {
  assert(storage.size() <= UINT32_MAX);
  Mbuf* const m = pop(kExternal);
  if (m == nullptr) return nullptr;
  m->storage_ = m->data_ = storage.data();
  m->storage_bytes_ = m->len_ = m->pkthdr.len = static_cast<std::uint32_t>(storage.size());
  m->release_ = release;
  m->cookie_ = cookie;
  return MbufPtr(m);
}

std::byte* MbufPool::append(Mbuf& m, std::size_t bytes) noexcept {
  Mbuf* last = &m;
  while (last->next_ != nullptr) last = last->next_;
  assert(bytes <= last->tailroom());
  std::byte* const at = last->data_ + last->len_;
  last->len_ += static_cast<std::uint32_t>(bytes);
  m.pkthdr.len += static_cast<std::uint32_t>(bytes);
  return at;
}

void MbufPool::put(Mbuf* m) noexcept {
  if (m->release_ != nullptr) m->release_(m->cookie_, {m->storage_, m->storage_bytes_});
  FreeStack& stack = free_[m->storage_class_];
  stack.slots[stack.count++] = m;
  in_use_.store(in_use() - 1, std::memory_order_relaxed);
}

void MbufFree::operator()(Mbuf* chain) const noexcept {
  while (chain != nullptr) {
    Mbuf* const next = chain->next_;
    chain->pool_->put(chain);
    chain = next;
  }
}

}  // namespace vif::net
