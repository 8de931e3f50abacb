// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/crash_states.hpp"

#include <algorithm>
#include <cstring>

#include "netstack/base/splitmix.hpp"

namespace vif::host::sim {
namespace {

constexpr std::size_t kSectorBytes = 512;
constexpr std::uint64_t kFnvOffset = 0xcbf2'9ce4'8422'2325, kFnvPrime = 0x100'0000'01b3;

std::uint64_t mixed(std::uint64_t hash, Bytes bytes) {
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = (hash ^ word) * kFnvPrime;
    hash ^= hash >> 32;
  }
  for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * kFnvPrime;
  return hash;
}

}  // namespace

std::uint64_t hash_of(const SimMedium& medium) {
  std::uint64_t hash = mixed(kFnvOffset, medium.disk);
  for (const auto& [key, variable] : medium.variables) {
    hash = mixed(hash, std::as_bytes(std::span(key.first.on_disk)));
    hash = mixed(hash, as_bytes(key.second));
    hash = mixed(hash ^ variable.bytes.size(), variable.bytes);
  }
  return hash;
}

std::size_t CrashStates::visit(const Visit& each, std::size_t most) {
  most_ = most;
  visit_state(each);
  for (const SimWrite& event : log_) {
    if (event.kind == SimWrite::Kind::write) {
      add_pieces(event);
      continue;
    }
    visit_pending(each);
    switch (event.kind) {
      case SimWrite::Kind::set:
        now_.variables[{event.variable.space, event.variable.name}] = event.variable;
        break;
      case SimWrite::Kind::erase:
        now_.variables.erase({event.variable.space, event.variable.name});
        break;
      default:
        for (const Piece& piece : pending_) put(piece, piece.bytes.size());
        pending_.clear();
    }
    visit_state(each);
  }
  visit_pending(each);
  return seen_.size();
}

void CrashStates::add_pieces(const SimWrite& write) {
  for (std::uint64_t at = 0; at < write.bytes.size();) {
    const std::uint64_t sector_left = kSectorBytes - (write.offset + at) % kSectorBytes;
    const std::uint64_t bytes = std::min<std::uint64_t>(sector_left, write.bytes.size() - at);
    pending_.push_back({write.offset + at, Bytes(write.bytes).subspan(at, bytes)});
    at += bytes;
  }
}

void CrashStates::put(const Piece& piece, std::size_t bytes) {
  std::copy_n(piece.bytes.begin(), bytes, now_.disk.begin() + static_cast<std::ptrdiff_t>(piece.offset));
}

void CrashStates::visit_state(const Visit& each) {
  if (seen_.size() < most_ && seen_.insert(hash_of(now_)).second) each(now_);
}

// Every prefix is among the subsets that are taken: the writes before it were done in order.
void CrashStates::visit_pending(const Visit& each) {
  const std::size_t count = pending_.size();
  if (count == 0) return;
  certain_ = now_.disk;
  if (count <= kExhaustiveSectors) {
    for (std::uint32_t set = 1; set < 1u << count; ++set) {
      visit_subset(each, [set](std::size_t piece) { return (set >> piece & 1) != 0; });
    }
  } else {
    for (std::size_t length = 1; length <= count; ++length) {
      visit_subset(each, [length](std::size_t piece) { return piece < length; });
    }
    for (std::size_t sample = 0; sample < samples_; ++sample) {
      const std::uint64_t drawn = seed_ + sample * kSplitmixStep;
      visit_subset(each, [drawn](std::size_t piece) { return (splitmix64(drawn, piece / 64) >> piece % 64 & 1) != 0; });
    }
  }
  for (std::size_t piece = 0; piece < count; ++piece) visit_torn(each, piece);
  now_.disk = certain_;
}

template <class Chosen>
void CrashStates::visit_subset(const Visit& each, Chosen&& chosen) {
  if (seen_.size() >= most_) return;
  now_.disk = certain_;
  for (std::size_t piece = 0; piece < pending_.size(); ++piece) {
    if (chosen(piece)) put(pending_[piece], pending_[piece].bytes.size());
  }
  visit_state(each);
}

// The sector the power went in, after those before it, and alone.
void CrashStates::visit_torn(const Visit& each, std::size_t piece) {
  for (const bool after_others : {false, true}) {
    for (const std::size_t bytes : {1u, 3u, 17u, 100u, 255u, 511u}) {
      if (seen_.size() >= most_ || bytes >= pending_[piece].bytes.size()) continue;
      now_.disk = certain_;
      for (std::size_t before = 0; after_others && before < piece; ++before) {
        put(pending_[before], pending_[before].bytes.size());
      }
      put(pending_[piece], bytes);
      visit_state(each);
    }
  }
}

}  // namespace vif::host::sim
