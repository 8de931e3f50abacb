// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/proc_connector.hpp"

namespace vif::cn {
namespace {

// An event as a record, built when the first who wants it comes, and once for all who want the same.
class RecordBytes {
 public:
  RecordBytes(const ProcEvent& event, std::uint32_t seq, std::uint32_t ack) : event_(event), seq_(seq), ack_(ack) {}

  Bytes plain() {
    if (plain_bytes_ == 0) plain_bytes_ = write(plain_, 0);
    return Bytes(plain_, plain_bytes_);
  }
  Bytes extended(const Extension& extension) {
    if (extended_bytes_ == 0) {
      extended_bytes_ = write(extended_, write_extension(extension, extended_ + kMessageHeaderBytes + kProcEventBytes));
    }
    return Bytes(extended_, extended_bytes_);
  }

 private:
  std::size_t write(std::byte* to, std::size_t extension_bytes) const {
    const std::span<std::byte, kProcEventBytes> payload(to + kMessageHeaderBytes, kProcEventBytes);
    write_proc_event(event_, payload);
    // Payload and extension are in place: the header only says how long they are.
    return write_message_header({.id = kProcId, .seq = seq_, .ack = ack_, .payload = {}},
                                kProcEventBytes + extension_bytes, to);
  }

  const ProcEvent& event_;
  const std::uint32_t seq_, ack_;
  std::size_t plain_bytes_ = 0, extended_bytes_ = 0;
  std::byte plain_[kMessageHeaderBytes + kProcEventBytes];
  std::byte extended_[kMessageHeaderBytes + kProcEventBytes + kExtensionBytesMax];
};

}  // namespace

ProcConnector::ProcConnector(Bus& bus, ClockPort& clock, const Config& config)
    : bus_(bus),
      clock_(clock),
      config_(config),
      rules_(make_listen_rules(bus.mode(), config.follow_tasks ? &tasks_ : nullptr)) {
  bus.set_watch(this);
}

Result<std::unique_ptr<ProcConnector>> ProcConnector::attach(Bus& bus, ClockPort& clock, const Config& config) {
  auto made = std::unique_ptr<ProcConnector>(new ProcConnector(bus, clock, config));
  Status added = bus.add_callback(
      kProcId, "cn_proc",
      [proc = made.get()](const Message& message, const Sender& sender) { proc->control(message, sender); });
  if (!added) return std::move(added).error();
  return made;
}

ProcConnector::~ProcConnector() {
  bus_.del_callback(kProcId);
  bus_.set_watch(nullptr);
}

std::uint32_t ProcConnector::next_seq(std::size_t producer) {
  if (seqs_.size() <= producer) seqs_.resize(producer + 1);
  return seqs_[producer]++;
}

void ProcConnector::publish_wanted(ProcEvent event, std::size_t producer) {
  if (event.timestamp_ns == 0) event.timestamp_ns = now_ns();
  event.cpu = config_.first_cpu + static_cast<std::uint32_t>(producer);
  relay(event, next_seq(producer));
}

void ProcConnector::relay(ProcEvent event, std::uint32_t seq) {
  rules_->observe(event);
  const std::optional<std::uint32_t> user_code = overlay(event);
  if (config_.trace != nullptr && event.what == What::exit) {
    config_.trace->exit(event.pid, event.tgid, event.exit_code, static_cast<std::int32_t>(event.exit_signal),
                        user_code ? 1 : 0, user_code.value_or(0));
  }
  // Who ends still has its name in the last record about it.
  if (config_.follow_tasks && event.what != What::exit) tasks_.apply(event);
  send(event, user_code, seq, 0);
  if (config_.follow_tasks && event.what == What::exit) tasks_.apply(event);
}

// The code that the thread which ends here has registered, put where the kernel's is when that is 0: what ended it for
// all to see comes before what it said itself.
std::optional<std::uint32_t> ProcConnector::overlay(ProcEvent& event) {
  if (config_.codes == nullptr) return {};
  if (event.what == What::exec) {
    // Another program than the one that registered; of its threads only this one is left.
    tasks_.for_each_of(event.tgid, [&](const Task& task) { (void)config_.codes->withdraw(task.pid); });
  }
  if (event.what != What::exit) return {};
  const Task* const task = tasks_.find(event.pid);
  const FoundCode found = config_.codes->take(
      event.pid,
      {.owner = event.tgid, .began_ns = task == nullptr ? 0 : task->born_ns, .ended_ns = event.timestamp_ns});
  if (!found) return {};
  if (event.exit_code == 0) event.exit_code = wait_status(found.code);
  return found.code;
}

void ProcConnector::send(const ProcEvent& event, std::optional<std::uint32_t> user_code, std::uint32_t seq,
                         std::uint32_t ack) {
  RecordBytes record(event, seq, ack);
  const auto wanted = [&](const Subscriber& subscriber) { return rules_->wants(subscriber, event); };
  const auto make = [&](const Subscriber& subscriber, std::uint64_t sequence) {
    if (!rules_->wants_extension(subscriber)) return record.plain();
    Extension extension{.sequence = sequence, .user_code = user_code};
    if (const Task* const task = tasks_.find(event.pid); task != nullptr) extension.comm = task->comm;
    return record.extended(extension);
  };
  bus_.broadcast(kProcId.idx, 0, wanted, make);
}

void ProcConnector::unicast(Subscriber& subscriber, const ProcEvent& event, std::uint32_t seq, std::uint32_t ack) {
  std::byte payload[kProcEventBytes + kExtensionBytesMax];
  write_proc_event(event, std::span<std::byte, kProcEventBytes>(payload, kProcEventBytes));
  std::size_t bytes = kProcEventBytes;
  if (rules_->wants_extension(subscriber) && event.what == What::task) {
    const Task* const task = tasks_.find(event.pid);
    bytes += write_extension({.comm = task->comm}, payload + bytes);
  }
  bus_.unicast(subscriber, {.id = kProcId, .seq = seq, .ack = ack, .payload = Bytes(payload, bytes)});
}

void ProcConnector::lose(std::uint64_t count) {
  if (config_.trace != nullptr) config_.trace->lost(count);
  bus_.lose(kProcId.idx, count, [&](const Subscriber& subscriber) { return rules_->listens(subscriber); });
}

void ProcConnector::control(const Message& message, const Sender& sender) {
  const std::optional<Request> request = read_request(message.payload);
  Answer answer = rules_->control(request, sender);
  if (answer.granted && request->op == Op::notify) answer.error = notify(*request, sender);
  acknowledge(message, sender, answer);
  if (answer.granted && request->op == Op::resync && sender.subscriber != nullptr) tell_tasks(*sender.subscriber);
}

// For the sender itself or a thread of its process; root for any.
std::uint32_t ProcConnector::notify(const Request& request, const Sender& sender) {
  if (config_.codes == nullptr) return ENODEV;
  const std::int32_t tid = request.tid != 0 ? request.tid : sender.tid;
  const Task* const task = tasks_.find(tid);
  const std::int32_t owner = task != nullptr ? task->tgid : tid == sender.tid ? sender.tgid : 0;
  if (owner == 0) return ESRCH;
  if (owner != sender.tgid && sender.uid != 0) return EPERM;
  if ((request.notify_flags & kNotifyWithdraws) != 0) return static_cast<std::uint32_t>(config_.codes->withdraw(tid));
  const int attached = config_.codes->attach(tid, owner, task != nullptr ? task->born_ns : 0);
  return static_cast<std::uint32_t>(attached != 0 ? attached : config_.codes->put(tid, request.code));
}

void ProcConnector::acknowledge(const Message& message, const Sender& sender, const Answer& answer) {
  ProcEvent event{.what = What::none, .cpu = UINT32_MAX, .timestamp_ns = now_ns(), .error = answer.error};
  if (answer.to == Answer::To::sender) return unicast(*sender.subscriber, event, message.seq, message.ack + 1);
  if (answer.to == Answer::To::nobody) return;
  // Q8: the kernel means to answer with the request's seq and cpu -1, and its sending routine puts its own there.
  event.cpu = config_.first_cpu;
  send(event, {}, next_seq(0), message.ack + 1);
}

void ProcConnector::tell_tasks(Subscriber& subscriber) {
  std::uint64_t count = 0;
  for (const Task& task : tasks_.sorted()) {
    if (!rules_->covers(subscriber, task.tgid)) continue;
    const ProcEvent event{.what = What::task,
                          .timestamp_ns = task.born_ns,
                          .pid = task.pid,
                          .tgid = task.tgid,
                          .parent_pid = task.parent_pid,
                          .parent_tgid = task.parent_tgid};
    unicast(subscriber, event, 0, 0);
    ++count;
  }
  unicast(subscriber, {.what = What::resynced, .timestamp_ns = now_ns(), .count = count}, 0, 0);
}

Result<ProcConnector::Snapshot> ProcConnector::resync(const Subscriber& subscriber) const {
  if (!config_.follow_tasks) return fail(ENOTSUP, "this connector does not follow tasks: attach it with follow_tasks");
  return Snapshot{subscriber.ring().mark(bus_.sequence()), tasks_.sorted()};
}

}  // namespace vif::cn
