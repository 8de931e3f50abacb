// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/impair/impairment.hpp"

#include <algorithm>

#include "netstack/base/splitmix.hpp"
#include "netstack/checksum.hpp"

namespace vif::host {

std::uint64_t Impairment::roll(Question question) const {
  constexpr auto kQuestions = static_cast<std::uint64_t>(Question::kCount);
  return splitmix64(seed_, number_ * kQuestions + static_cast<std::uint64_t>(question));
}

bool Impairment::happens(Chance chance, Question question) const {
  return chance.parts != 0 && roll(question) % Chance::kCertain < chance.parts;
}

void Impairment::offer(const drv::TxFrame& frame, const Received& received, Time now) {
  ++number_;
  if (happens(settings_.loss, Question::loss)) {
    ++dropped_;
    return;
  }
  admit(frame, received, now, false);
  if (happens(settings_.dup, Question::dup)) admit(frame, received, now, true);
}

void Impairment::admit(const drv::TxFrame& frame, const Received& received, Time now, bool duplicate) {
  net::MbufPtr packet = waiting_.copy(frame);
  if (!packet) {
    if (!duplicate) ++dropped_;
    return;
  }
  if (!duplicate && happens(settings_.corrupt, Question::corrupt)) damage(*packet);
  const Time due = serialised(frame.bytes, now) + delay(duplicate);
  packet->pkthdr.wire_len = received.wire_bytes;
  // It arrives when it is due, and its stamp says so.
  if (received.timestamp_ns != 0) packet->pkthdr.timestamp_ns = received.timestamp_ns + (due - now).count();
  waiting_.push({due, order_++, std::move(packet), duplicate});
}

// Behind whoever makes the checksum, as on a wire: the damage can be seen. A super-frame's come later, so its cannot.
void Impairment::damage(net::Mbuf& packet) const {
  if (packet.len() == 0) return;
  (void)net::complete_checksum(packet);
  const std::uint64_t bit = roll(Question::bit) % (std::uint64_t{packet.len()} * 8);
  packet.data()[bit / 8] ^= std::byte{1} << bit % 8;
}

// When the frame's last bit has left at settings_.rate_bits a second, behind those before it.
Time Impairment::serialised(std::uint32_t bytes, Time now) {
  if (settings_.rate_bits == 0) return now;
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  if (free_at_ < now) {
    free_at_ = now;
    free_at_rest_ = 0;
  }
  const std::uint64_t work = std::uint64_t{bytes} * 8 * kNsPerSecond + free_at_rest_;
  free_at_ += Time(work / settings_.rate_bits);
  free_at_rest_ = work % settings_.rate_bits;
  return free_at_;
}

Time Impairment::delay(bool duplicate) const {
  if (happens(settings_.reorder, duplicate ? Question::dup_reorder : Question::reorder)) return Time(0);
  if (settings_.jitter == Time(0)) return settings_.delay;
  const auto spread = static_cast<std::uint64_t>(settings_.jitter.count()) * 2 + 1;
  const std::uint64_t chosen = roll(duplicate ? Question::dup_jitter : Question::jitter) % spread;
  return std::max(Time(0), settings_.delay - settings_.jitter + Time(chosen));
}

std::uint64_t Impairment::clear() {
  free_at_ = {};
  return waiting_.clear();
}

}  // namespace vif::host
