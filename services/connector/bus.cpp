// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/bus.hpp"

#include <algorithm>

namespace vif::cn {
namespace {

constexpr std::size_t kNameColumn = 15;  // cn_proc_show

std::string text_of(CbId id) { return std::to_string(id.idx) + ":" + std::to_string(id.val); }

}  // namespace

Bus::~Bus() {
  assert(std::all_of(slots_.begin(), slots_.end(), [](const Subscriber* s) { return s == nullptr; }));
}

Bus::Entry* Bus::find(CbId id) {
  const auto found = std::find_if(callbacks_.begin(), callbacks_.end(),
                                  [&](const auto& entry) { return entry->id == id && !entry->deleted; });
  return found == callbacks_.end() ? nullptr : found->get();
}

Status Bus::add_callback(CbId id, std::string_view name, Callback callback) {
  if (find(id) != nullptr) return fail(EINVAL, "connector id " + text_of(id) + " is taken: delete its callback first");
  callbacks_.push_back(std::make_unique<Entry>(
      Entry{id, std::string(name.substr(0, kCallbackNameBytesMax)), std::move(callback), false}));
  return {};
}

void Bus::del_callback(CbId id) {
  Entry* const entry = find(id);
  if (entry == nullptr) return;
  entry->deleted = true;
  if (running_ == 0) std::erase_if(callbacks_, [](const auto& each) { return each->deleted; });
}

std::string Bus::callbacks_text() const {
  std::string text = "Name            ID\n";
  for (const auto& entry : callbacks_) {
    if (entry->deleted) continue;
    text += entry->name;
    text.append(kNameColumn - std::min(kNameColumn, entry->name.size()), ' ');
    text += " " + text_of(entry->id) + "\n";
  }
  return text;
}

void Bus::receive(Bytes datagram, const Sender& sender) {
  if (const std::optional<Message> message = read_datagram(datagram)) receive(*message, sender);
}

void Bus::receive(const Message& message, const Sender& sender) {
  Entry* const entry = find(message.id);
  if (entry == nullptr) return;
  ++running_;
  entry->callback(message, sender);
  if (--running_ == 0) std::erase_if(callbacks_, [](const auto& each) { return each->deleted; });
}

Status Bus::send(const Message& message, To to) {
  std::vector<std::byte> bytes(message.bytes());
  write_message(message, bytes.data());
  return send_mult(bytes, to);
}

Status Bus::send_mult(Bytes messages, To to, const Filter& filter) {
  const std::optional<Message> first = read_message(messages);
  if (!first || messages.size() > kMessageBytesMax) {
    return fail(EMSGSIZE, "a whole message of 20 to 16384 bytes was expected, header included");
  }
  if (to.port == 0 && to.group == 0) {
    if (find(first->id) == nullptr) return fail(ENODEV, "nobody has registered connector id " + text_of(first->id));
    to.group = first->id.idx;
  }
  if (to.group > kGroupMax) return fail(EINVAL, "groups are 1 to " + std::to_string(kGroupMax));
  if (to.group != 0) {
    const auto wanted = [&](const Subscriber& subscriber) { return !filter || filter(subscriber); };
    const auto make = [&](const Subscriber&, std::uint64_t) { return messages; };
    if (broadcast(to.group, to.port, wanted, make) > 0) return {};
    return fail(ESRCH, "nobody in group " + std::to_string(to.group) + " took it");
  }
  const auto found = std::find_if(slots_.begin(), slots_.end(),
                                  [&](const Subscriber* s) { return s != nullptr && s->port() == to.port; });
  if (found == slots_.end()) return fail(ESRCH, "nobody is at port " + std::to_string(to.port));
  if ((*found)->deliver(messages, ++sequence_)) return {};
  return fail(ENOBUFS, "the subscriber at port " + std::to_string(to.port) + " has no room");
}

bool Bus::unicast(Subscriber& subscriber, const Message& message) {
  scratch_.resize(message.bytes());
  write_message(message, scratch_.data());
  return subscriber.deliver(scratch_, ++sequence_);
}

std::size_t Bus::arrive(Subscriber& subscriber) {
  ++last_port_;
  auto slot = std::find(slots_.begin(), slots_.end(), nullptr);
  if (slot == slots_.end()) slot = slots_.insert(slot, nullptr);
  *slot = &subscriber;
  return static_cast<std::size_t>(slot - slots_.begin());
}

void Bus::depart(Subscriber& subscriber) {
  if (watch_ != nullptr) watch_->departing(subscriber);
  for (std::uint32_t group = 1; group <= kGroupMax; ++group) subscriber.leave(group);
  slots_[subscriber.slot()] = nullptr;
}

Subscriber::Subscriber(Bus& bus, const Config& config)
    : bus_(bus), config_(config), ring_(config.ring_bytes), slot_(bus.arrive(*this)) {
  port_ = bus.last_port_;
}

Subscriber::~Subscriber() { bus_.depart(*this); }

Status Subscriber::join(std::uint32_t group) {
  if (group == 0 || group > kGroupMax) return fail(EINVAL, "groups are 1 to " + std::to_string(kGroupMax));
  if (!may_join(bus_.mode(), group, config_.privileged)) {
    return fail(EPERM, "without CAP_NET_ADMIN there is group " + std::to_string(kProcId.idx) + " only, process events");
  }
  if (is_in(group)) return {};
  groups_ |= 1U << group;
  bus_.members_[group].push_back(this);
  return {};
}

void Subscriber::leave(std::uint32_t group) {
  if (!is_in(group)) return;
  groups_ &= ~(1U << group);
  std::erase(bus_.members_[group], this);
}

}  // namespace vif::cn
