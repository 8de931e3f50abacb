// SPDX-License-Identifier: BSD-2-Clause
// Outstanding frames wait in queues, and a frame that arrives is matched against the head of its own: one queue when
// order counts, one a flow, or one for each frame as compared, which makes the order not matter.
#include "netstack/replay/expectation.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

std::string frame_name(std::size_t number) { return "frame " + std::to_string(number); }

std::string summary(Bytes frame) {
  const FrameLayers layers = FrameLayers::of(frame);
  std::string text = std::to_string(frame.size()) + " bytes";
  std::size_t shown = 0;
  for (const char* name : {"eth.src", "eth.dst", "eth.type", "arp.opcode", "ip.src", "ip.dst", "ip.proto", "ipv6.src",
                           "ipv6.dst", "ipv6.nxt", "icmp.type", "icmpv6.type", "tcp.srcport", "tcp.dstport",
                           "tcp.flags", "udp.srcport", "udp.dstport"}) {
    const FrameField& field = **find_frame_field(name);
    const std::optional<FieldPlace> place = place_of(field, layers, frame);
    const bool is_mac = field.form == FieldForm::mac || field.name == "eth.type";
    if (!place || (is_mac && layers.network != FrameLayers::Network::none)) continue;
    text += (shown++ == 0 ? ": " : ", ") + std::string(name) + " " + field_text(field, *place, frame);
  }
  return text;
}

std::size_t hash_of(const std::vector<std::byte>& compared) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(compared.data()), compared.size()});
}

std::string ms_text(Time time) {
  const std::string us = std::to_string(time / std::chrono::microseconds(1) % 1000);
  return std::to_string(time / std::chrono::milliseconds(1)) + "." + std::string(3 - us.size(), '0') + us + " ms";
}

}  // namespace

Expectation::Expectation(ExpectSettings settings, std::vector<ExpectedFrame> frames)
    : settings_(std::move(settings)),
      frames_(std::move(frames)),
      selector_(settings_.select),
      outstanding_(frames_.size()) {
  verdict_.expected = frames_.size();
  compared_.reserve(frames_.size());
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].number == 0) frames_[i].number = i + 1;
    MaskedFrame masked = settings_.mask.masked(frames_[i].bytes, FrameRole::expected);
    queues_[key_of(masked)].outstanding.push_back(i);
    compared_.push_back(settings_.mask.compared(std::move(masked)));
    alike_[hash_of(compared_.back())].push_back(i);
  }
}

Expectation::Compared Expectation::key_of(const MaskedFrame& masked) const {
  if (settings_.order == ExpectOrder::ordered) return {};
  if (settings_.order == ExpectOrder::unordered) return settings_.mask.compared(masked);
  const FrameLayers& layers = masked.layers;
  Compared key = {static_cast<std::byte>(layers.network), static_cast<std::byte>(layers.protocol)};
  const auto add = [&](std::size_t at, std::size_t bytes) {
    if (at + bytes > masked.bytes.size()) return;
    const auto from = masked.bytes.begin() + static_cast<std::ptrdiff_t>(at);
    key.insert(key.end(), from, from + static_cast<std::ptrdiff_t>(bytes));
  };
  if (layers.address_bytes != 0) add(layers.source_at, 2 * layers.address_bytes);
  else add(0, kEtherHeaderBytes);
  const bool has_ports =
      layers.transport == FrameLayers::Transport::tcp || layers.transport == FrameLayers::Transport::udp;
  if (has_ports) add(layers.transport_at, 4);
  return key;
}

const ExpectFailure* Expectation::received(Bytes frame, Time since_start) {
  if (!selector_.wants(frame)) return nullptr;
  ++verdict_.received;
  now_ = since_start;
  const MaskedFrame masked = settings_.mask.masked(frame, FrameRole::received);
  const Compared compared = settings_.mask.compared(masked);
  const auto found = queues_.find(key_of(masked));
  if (found == queues_.end() || found->second.outstanding.empty()) return stranger(frame, compared);
  Queue& queue = found->second;
  const std::size_t head = queue.outstanding.front();
  if (compared == compared_[head]) {
    queue.pop();
    return matched(head, since_start);
  }
  if (settings_.others_allowed) {
    ++verdict_.let_pass;
    const auto later = next_like(compared, head + 1);
    if (later && queue.let_pass.size() < queue.outstanding.size()) queue.let_pass.push_back(*later);
    return nullptr;
  }
  if (const std::optional<std::size_t> later = later_in(queue, compared)) {
    miss_before(queue, *later);
    queue.pop();
    return matched(*later, since_start);
  }
  // One that was expected before, or is of another flow, does not stand for the head, which may still come.
  const bool is_again = next_like(compared, 0).value_or(head) < head;
  if (is_again || FrameFlow::of(masked.bytes, masked.layers) != flow_of(head)) return stranger(frame, compared);
  queue.pop();
  --outstanding_;
  FrameDifference difference = difference_of(frames_[head].bytes, frame, settings_.mask);
  return failed({ExpectFault::different, number(head), verdict_.received,
                 frame_name(number(head)) + ": " + difference.first, std::move(difference.fields)});
}

FrameFlow Expectation::flow_of(std::size_t expected) const {
  const MaskedFrame masked = settings_.mask.masked(frames_[expected].bytes, FrameRole::expected);
  return FrameFlow::of(masked.bytes, masked.layers);
}

// The first expected frame from `from` on, come or not, that is compared the same.
std::optional<std::size_t> Expectation::next_like(const Compared& compared, std::size_t from) const {
  const auto alike = alike_.find(hash_of(compared));
  if (alike == alike_.end()) return std::nullopt;
  auto at = std::lower_bound(alike->second.begin(), alike->second.end(), from);
  while (at != alike->second.end() && compared_[*at] != compared) ++at;
  return at != alike->second.end() ? std::optional(*at) : std::nullopt;
}

// Is it one that was to come later? One that is expected more than once is taken for the next only when that is near:
// it may be there once too often.
std::optional<std::size_t> Expectation::later_in(const Queue& queue, const Compared& compared) const {
  const std::deque<std::size_t>& outstanding = queue.outstanding;
  const std::optional<std::size_t> later = next_like(compared, outstanding.front());
  if (!later) return std::nullopt;
  const auto place = std::lower_bound(outstanding.begin(), outstanding.end(), *later) - outstanding.begin();
  const bool is_only_one = next_like(compared, 0) == later && !next_like(compared, *later + 1);
  return is_only_one || static_cast<std::size_t>(place) < kLookAhead ? later : std::nullopt;
}

// Those of a queue before `later` are missing.
void Expectation::miss_before(Queue& queue, std::size_t later) {
  for (; queue.outstanding.front() != later; queue.pop()) {
    const std::size_t missing = queue.outstanding.front();
    --outstanding_;
    failed({ExpectFault::missing,
            number(missing),
            {},
            frame_name(number(missing)) + " did not come before " + frame_name(number(later)) + ": " +
                summary(frames_[missing].bytes),
            {}});
  }
}

const ExpectFailure* Expectation::matched(std::size_t expected, Time since_start) {
  --outstanding_;
  ++verdict_.matched;
  if (!settings_.window || !clock_.origin_ns || !frames_[expected].time_ns) return nullptr;
  const double recorded_ns = static_cast<double>(*frames_[expected].time_ns) - static_cast<double>(*clock_.origin_ns);
  const double off_ns = static_cast<double>(since_start.count()) - recorded_ns / clock_.times_as_fast;
  const auto window_ns = static_cast<double>(settings_.window->count());
  if (off_ns >= -window_ns && off_ns <= window_ns) return nullptr;
  constexpr double kShownMaxNs = 1e18;
  const Time off(static_cast<std::int64_t>(std::clamp(off_ns, -kShownMaxNs, kShownMaxNs)));
  const bool is_late = off > Time(0);
  return failed({is_late ? ExpectFault::late : ExpectFault::early,
                 number(expected),
                 verdict_.received,
                 frame_name(number(expected)) + " came " + ms_text(is_late ? off : -off) +
                     (is_late ? " later" : " earlier") + " than recorded: expected at most " +
                     ms_text(*settings_.window),
                 {}});
}

// A frame that no queue waits for.
const ExpectFailure* Expectation::stranger(Bytes frame, const Compared& compared) {
  if (settings_.others_allowed) {
    ++verdict_.let_pass;
    return nullptr;
  }
  ExpectFailure failure{ExpectFault::unexpected,
                        {},
                        verdict_.received,
                        "received " + frame_name(verdict_.received) + " was not expected: " + summary(frame),
                        {}};
  const bool is_kept = verdict_.failures.size() < kFailuresKept;  // else nobody reads what it is like
  if (const std::optional<std::size_t> again = next_like(compared, 0)) {
    failure.expected = number(*again);
    failure.text += "; it is " + frame_name(number(*again)) + " again";
  } else if (const std::optional<std::size_t> near = is_kept ? closest(frame) : std::nullopt) {
    FrameDifference difference = difference_of(frames_[*near].bytes, frame, settings_.mask);
    failure.expected = number(*near);
    failure.text += "; closest is " + frame_name(number(*near)) + ": " + difference.first;
    failure.fields = std::move(difference.fields);
  }
  return failed(std::move(failure));
}

// The outstanding frame that differs in the fewest fields.
std::optional<std::size_t> Expectation::closest(Bytes frame) const {
  std::optional<std::size_t> best;
  std::size_t best_fields = SIZE_MAX, looked = 0;
  for (const auto& [key, queue] : queues_) {
    if (queue.outstanding.empty()) continue;
    if (++looked > kLookAhead) break;
    const std::size_t head = queue.outstanding.front();
    const FrameDifference difference = difference_of(frames_[head].bytes, frame, settings_.mask);
    const auto fields = static_cast<std::size_t>(std::count_if(
        difference.fields.begin(), difference.fields.end(), [](const FieldComparison& line) { return line.differs; }));
    if (fields >= best_fields) continue;
    best = head;
    best_fields = fields;
  }
  return best;
}

const ExpectFailure* Expectation::failed(ExpectFailure failure) {
  failure.noticed = now_;
  ++verdict_.faults[static_cast<std::size_t>(failure.fault)];
  last_ = failure;
  if (verdict_.failures.size() < kFailuresKept) verdict_.failures.push_back(std::move(failure));
  return &*last_;
}

// What is left of a queue after those that were let pass while its head was waited for, and belong to what is behind
// it.
std::vector<std::size_t> Expectation::left_of(const Queue& queue) {
  std::vector<std::size_t> left;
  auto next = queue.outstanding.begin();
  const auto end = queue.outstanding.end();
  for (const std::size_t like : queue.let_pass) {
    if (next == end) break;
    const std::optional<std::size_t> came = next_like(compared_[like], *next);
    if (!came) continue;
    const auto at = std::lower_bound(next, end, *came);
    left.insert(left.end(), next, at);
    next = at + 1;
    --verdict_.let_pass;
    ++verdict_.matched;
  }
  left.insert(left.end(), next, end);
  return left;
}

const ExpectVerdict& Expectation::finish() {
  if (std::exchange(finished_, true)) return verdict_;
  now_ = Time::max();
  std::vector<std::size_t> missing;
  for (const auto& [key, queue] : queues_) {
    const std::vector<std::size_t> left = left_of(queue);
    missing.insert(missing.end(), left.begin(), left.end());
  }
  std::sort(missing.begin(), missing.end());
  for (const std::size_t i : missing) {
    failed({ExpectFault::missing,
            number(i),
            {},
            frame_name(number(i)) + " did not come: " + summary(frames_[i].bytes),
            {}});
  }
  return verdict_;
}

}  // namespace vif::net
