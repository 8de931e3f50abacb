// SPDX-License-Identifier: BSD-2-Clause
// Outstanding frames wait in queues, and a frame that arrives is matched against the head of its own: one queue when
// order counts, one a flow, or one for each frame as compared, which makes the order not matter.
#include "netstack/replay/expectation.hpp"

#include <algorithm>

#include "netstack/capture/capture_reader.hpp"
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
    compared_.push_back(settings_.mask.compared(frames_[i].bytes));
    queues_[key_of(compared_.back())].push_back(i);
  }
}

Result<std::vector<ExpectedFrame>> Expectation::load(FilesPort& files, const std::string& path,
                                                     const BpfProgram& select, std::optional<FrameSplitter> splitter) {
  Result<std::unique_ptr<ByteSource>> source = files.open_source(path);
  if (!source) return std::move(source).error();
  Result<CaptureReader> reader = CaptureReader::open(**source);
  const auto named = [&](const Error& error) { return fail(error.number(), path + ": " + error.text); };
  if (!reader) return named(reader.error());
  std::vector<ExpectedFrame> frames;
  FrameSelector selector(select);
  std::array<CaptureFrame, 64> batch;
  for (;;) {
    const Result<std::size_t> n = reader->read(batch);
    if (!n) return named(n.error());
    if (*n == 0) return frames;
    for (const CaptureFrame& frame : std::span(batch).first(*n)) {
      const ReplaySide side = splitter ? splitter->side_of(frame.bytes, frame.interface) : ReplaySide::clients;
      if (!selector.wants(frame.bytes)) continue;
      if (frame.link_type != kLinkTypeEthernet || frame.wire_bytes > frame.bytes.size()) {
        return fail(std::errc::invalid_argument,
                    path + ": " + frame_name(frames.size() + 1) + " is not a whole Ethernet frame: expected only such");
      }
      frames.push_back({{frame.bytes.begin(), frame.bytes.end()},
                        frame.has_time ? std::optional(frame.timestamp_ns) : std::nullopt,
                        side,
                        frames.size() + 1});
    }
  }
}

Expectation::Compared Expectation::key_of(const Compared& compared) const {
  if (settings_.order == ExpectOrder::ordered) return {};
  if (settings_.order == ExpectOrder::unordered) return compared;
  const FrameLayers layers = FrameLayers::of(compared);
  Compared key = {static_cast<std::byte>(layers.network), static_cast<std::byte>(layers.protocol)};
  const auto add = [&](std::size_t at, std::size_t bytes) {
    if (at + bytes > compared.size()) return;
    const auto from = compared.begin() + static_cast<std::ptrdiff_t>(at);
    key.insert(key.end(), from, from + static_cast<std::ptrdiff_t>(bytes));
  };
  if (layers.network == FrameLayers::Network::ipv4) add(layers.network_at + 12, 8);
  else if (layers.network == FrameLayers::Network::ipv6) add(layers.network_at + 8, 32);
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
  const Compared compared = settings_.mask.compared(frame);
  const auto queue = queues_.find(key_of(compared));
  if (queue == queues_.end() || queue->second.empty()) return stranger(frame);
  return received_in_order(queue->second, frame, compared, since_start);
}

const ExpectFailure* Expectation::received_in_order(std::deque<std::size_t>& queue, Bytes frame,
                                                    const Compared& compared, Time since_start) {
  const std::size_t head = queue.front();
  if (compared == compared_[head]) {
    queue.pop_front();
    return matched(head, since_start);
  }
  if (settings_.others_allowed) {
    ++verdict_.let_pass;
    return nullptr;
  }
  // Is it one that was to come later? Then those before it are missing.
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(std::min(queue.size(), kLookAhead));
  const auto later = std::find_if(queue.begin(), end, [&](std::size_t i) { return compared == compared_[i]; });
  if (later != end) {
    for (const std::size_t found = *later; queue.front() != found; queue.pop_front()) {
      --outstanding_;
      failed({ExpectFault::missing,
              number(queue.front()),
              {},
              frame_name(number(queue.front())) + " did not come before " + frame_name(number(found)) + ": " +
                  summary(frames_[queue.front()].bytes),
              {}});
    }
    const std::size_t found = queue.front();
    queue.pop_front();
    return matched(found, since_start);
  }
  // One that was expected before, or is of another flow, does not stand for the head, which may still come.
  const bool is_of_another_flow = FrameFlow::of(compared) != FrameFlow::of(compared_[head]);
  if (is_of_another_flow || was_expected_before(head, compared)) return stranger(frame);
  queue.pop_front();
  --outstanding_;
  FrameDifference difference = difference_of(frames_[head].bytes, frame, settings_.mask);
  return failed({ExpectFault::different, number(head), verdict_.received,
                 frame_name(number(head)) + ": " + difference.first, std::move(difference.fields)});
}

bool Expectation::was_expected_before(std::size_t head, const Compared& compared) const {
  const auto end = compared_.begin() + static_cast<std::ptrdiff_t>(head);
  return std::find(end - static_cast<std::ptrdiff_t>(std::min(head, kLookAhead)), end, compared) != end;
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
const ExpectFailure* Expectation::stranger(Bytes frame) {
  if (settings_.others_allowed) {
    ++verdict_.let_pass;
    return nullptr;
  }
  ExpectFailure failure{ExpectFault::unexpected,
                        {},
                        verdict_.received,
                        "received " + frame_name(verdict_.received) + " was not expected: " + summary(frame),
                        {}};
  if (const std::optional<std::size_t> near = closest(frame)) {
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
    if (queue.empty()) continue;
    if (++looked > kLookAhead) break;
    const FrameDifference difference = difference_of(frames_[queue.front()].bytes, frame, settings_.mask);
    const auto fields = static_cast<std::size_t>(std::count_if(
        difference.fields.begin(), difference.fields.end(), [](const FieldComparison& line) { return line.differs; }));
    if (fields >= best_fields) continue;
    best = queue.front();
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

const ExpectVerdict& Expectation::finish() {
  if (std::exchange(finished_, true)) return verdict_;
  now_ = Time::max();
  std::vector<std::size_t> missing;
  for (const auto& [key, queue] : queues_) missing.insert(missing.end(), queue.begin(), queue.end());
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
