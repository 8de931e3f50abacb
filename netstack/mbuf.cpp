// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/mbuf.hpp"

#include <algorithm>

#include "netstack/mbuf_pool.hpp"

namespace vif::net {

void m_cat(MbufPtr& m, MbufPtr tail) {
  Mbuf* last = m.get();
  while (last->next_ != nullptr) last = last->next_;
  m->pkthdr.len += tail->pkthdr.len;
  last->next_ = tail.release();
}

std::byte* m_prepend(MbufPtr& m, std::size_t bytes) {
  const auto added = static_cast<std::uint32_t>(bytes);
  if (m->headroom() >= bytes) {
    m->data_ -= bytes;
    m->len_ += added;
    m->pkthdr.len += added;
    return m->data_;
  }
  MbufPtr front = m->pool_->get(bytes);
  if (!front) return nullptr;
  front->pkthdr = m->pkthdr;
  front->pkthdr.len += added;
  front->len_ = added;
  front->next_ = m.release();
  m = std::move(front);
  return m->data_;
}

void m_trim_front(MbufPtr& m, std::size_t bytes) {
  assert(bytes <= m->pkthdr.len);
  m->pkthdr.len -= static_cast<std::uint32_t>(bytes);
  for (Mbuf* piece = m.get(); bytes > 0; piece = piece->next_) {
    const auto here = std::min<std::size_t>(bytes, piece->len_);
    piece->data_ += here;
    piece->len_ -= static_cast<std::uint32_t>(here);
    bytes -= here;
  }
}

void m_trim_back(MbufPtr& m, std::size_t bytes) {
  assert(bytes <= m->pkthdr.len);
  m->pkthdr.len -= static_cast<std::uint32_t>(bytes);
  std::size_t keep = m->pkthdr.len;
  for (Mbuf* piece = m.get(); piece != nullptr; piece = piece->next_) {
    piece->len_ = static_cast<std::uint32_t>(std::min<std::size_t>(keep, piece->len_));
    keep -= piece->len_;
  }
}

void m_copydata(const Mbuf& m, std::size_t offset, MutBytes to) {
  for (const Mbuf* piece = &m; !to.empty(); piece = piece->next()) {
    assert(piece != nullptr);
    const Bytes from = piece->bytes();
    if (offset >= from.size()) {
      offset -= from.size();
      continue;
    }
    const std::size_t here = std::min(to.size(), from.size() - offset);
    std::memcpy(to.data(), from.data() + offset, here);
    to = to.subspan(here);
    offset = 0;
  }
}

void m_copyback(Mbuf& m, std::size_t offset, Bytes from) {
  for (Mbuf* piece = &m; !from.empty(); piece = piece->next_) {
    assert(piece != nullptr);
    if (offset >= piece->len_) {
      offset -= piece->len_;
      continue;
    }
    const std::size_t here = std::min<std::size_t>(from.size(), piece->len_ - offset);
    std::memcpy(piece->data_ + offset, from.data(), here);
    from = from.subspan(here);
    offset = 0;
  }
}

bool m_pullup(MbufPtr& m, std::size_t bytes) {
  assert(bytes <= m->pkthdr.len);
  if (m->len_ >= bytes) return true;
  MbufPtr front = m->pool_->get(bytes);
  if (!front) return false;
  m_copydata(*m, 0, {front->data_, bytes});
  front->len_ = static_cast<std::uint32_t>(bytes);
  front->pkthdr = m->pkthdr;
  if (bytes < m->pkthdr.len) {
    m_trim_front(m, bytes);
    front->next_ = m.release();
  }
  m = std::move(front);
  return true;
}

std::size_t m_segments(const Mbuf& m) {
  std::size_t segments = 0;
  for (const Mbuf* piece = &m; piece != nullptr; piece = piece->next()) segments += piece->len() != 0;
  return segments;
}

}  // namespace vif::net
