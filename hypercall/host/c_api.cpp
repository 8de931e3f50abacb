// SPDX-License-Identifier: BSD-2-Clause
// virtif.h: instances and interfaces. The ioctls are in c_ioctl.cpp, backends in c_backend.cpp.
#include "hypercall/host/c_api.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "netstack/checksum.hpp"
#include "netstack/segmenter.hpp"

using namespace vif;
using vif::host::guarded;
using vif::host::on_domain;
using vif::host::report;

namespace vif::host {

int report(virtif_error* error, int number, std::string_view text) noexcept {
  if (error == nullptr || error->size < sizeof *error) return number;
  error->number = number;
  const std::size_t bytes = std::min(text.size(), sizeof error->text - 1);
  std::memcpy(error->text, text.data(), bytes);
  error->text[bytes] = '\0';
  return number;
}

int report(virtif_error* error, const Status& status) noexcept {
  return status ? 0 : report(error, status.error().number(), status.error().text);
}

namespace {

constexpr std::size_t kBudgetFrames = 64;

Status fill(virtif& instance, const virtif_config& config) {
  net::Domain::Config domain;
  if (config.interfaces_max != 0) domain.interfaces_max = config.interfaces_max;
  if (config.mbufs != 0) domain.pool.counts[0] = config.mbufs;
  Result<std::unique_ptr<Loop>> loop = Loop::create(instance.clock, instance.random, domain);
  if (!loop) return std::move(loop).error();
  instance.loop = std::move(*loop);
  instance.kernel = std::make_unique<Instance>(HostPorts{instance.clock, instance.files});
  instance.interfaces = &instance.kernel->attach(*instance.loop);
  if ((config.flags & VIRTIF_OWN_THREAD) == 0) return {};
  instance.runner = std::make_unique<Runner>(*instance.loop);
  if (Status ok = instance.runner->usable(); !ok) return ok;
  try {
    instance.thread = std::thread([&instance] {
      guarded(nullptr, [&] { return instance.runner->run() ? 0 : EIO; });
      instance.ended = true;
    });
  } catch (const std::system_error& error) {
    return Error{error.code(), "cannot start the domain's thread"};
  }
  return {};
}

// A frame gathered into one mbuf.
Status transmit(net::Ifnet& ifp, const iovec* iov, std::size_t iovcnt) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < iovcnt; ++i) {
    if (iov[i].iov_len > net::kFrameBytesMax - bytes) {
      ifp.drop(DropReason::tx_too_long);
      return fail(std::errc::message_size, {});
    }
    bytes += iov[i].iov_len;
  }
  net::MbufPtr m = ifp.domain().pool().get(bytes);
  if (!m) {
    ifp.drop(DropReason::tx_no_mbuf);
    return fail(std::errc::no_buffer_space, {});
  }
  for (std::size_t i = 0; i < iovcnt; ++i) {
    if (iov[i].iov_len == 0) continue;
    std::memcpy(net::MbufPool::append(*m, iov[i].iov_len), iov[i].iov_base, iov[i].iov_len);
  }
  return ifp.transmit(std::move(m));
}

}  // namespace
}  // namespace vif::host

void CInput::input(net::Ifnet& ifp, net::MbufPtr packet) {
  constexpr std::size_t kPiecesMax = 16;
  unsigned flags = 0;
  if ((packet->pkthdr.flags & net::M_BCAST) != 0) flags |= VIRTIF_M_BCAST;
  if ((packet->pkthdr.flags & net::M_MCAST) != 0) flags |= VIRTIF_M_MCAST;
  if ((packet->pkthdr.flags & net::M_PROMISC) != 0) flags |= VIRTIF_M_PROMISC;
  const bool is_super_frame = packet->pkthdr.offload.is_super_frame();
  if (is_super_frame ? !cut(*packet, flags) : !net::complete_checksum(*packet)) {
    return ifp.drop(DropReason::bad_length, *packet);
  }
  if (is_super_frame) return;
  std::array<iovec, kPiecesMax> iov;
  std::size_t pieces = 0;
  for (const net::Mbuf* piece = packet.get(); piece != nullptr && pieces < kPiecesMax; piece = piece->next()) {
    iov[pieces++] = {const_cast<std::byte*>(piece->bytes().data()), piece->len()};
  }
  callback_(cookie_, handle_, iov.data(), pieces, flags);
}

// What the driver received is in one piece, and so is each segment's payload. False: it cannot be cut.
bool CInput::cut(const net::Mbuf& packet, unsigned flags) {
  net::Segmenter segmenter;
  if (!segmenter.open(packet)) return false;
  bool gone = false;
  gone_ = &gone;
  while (!gone && !segmenter.done()) {
    std::array<std::byte, net::Segmenter::kHeaderBytesMax> header;
    net::Segmenter::Segment segment = segmenter.next(header);
    std::array<iovec, 2> iov = {{{header.data(), segment.header_bytes}, {}}};
    if (segment.payload_bytes > 0) {
      const Bytes payload = segment.payload.take(segment.payload_bytes);
      iov[1] = {const_cast<std::byte*>(payload.data()), payload.size()};
    }
    callback_(cookie_, handle_, iov.data(), segment.payload_bytes > 0 ? 2 : 1, flags);
  }
  if (!gone) gone_ = nullptr;
  return true;
}

extern "C" {

int virtif_open(const virtif_config* config, virtif** instance, virtif_error* error) {
  return guarded(error, [&] {
    if (instance == nullptr) return report(error, EFAULT, "virtif_open needs a place for the instance");
    const virtif_config defaults{sizeof(virtif_config), 0, 0, 0};
    if (config == nullptr) config = &defaults;
    if (config->size != sizeof *config || (config->flags & ~VIRTIF_OWN_THREAD) != 0) {
      return report(error, EINVAL, "virtif_config: expected size = sizeof and flags 0 or VIRTIF_OWN_THREAD");
    }
    constexpr std::uint32_t kInterfacesMax = 65'536, kMbufsMax = 1U << 20;
    if (config->interfaces_max > kInterfacesMax || config->mbufs > kMbufsMax) {
      return report(error, EINVAL, "virtif_config: at most 65536 interfaces and 1048576 mbufs");
    }
    auto opened = std::make_unique<virtif>();
    if (const Status filled = host::fill(*opened, *config); !filled) return report(error, filled);
    *instance = opened.release();
    return 0;
  });
}

void virtif_close(virtif* instance) {
  if (instance == nullptr) return;
  if (instance->thread.joinable()) {
    instance->runner->stop();
    instance->thread.join();
  }
  instance->kernel.reset();  // every interface, before the handles their callbacks are given
  delete instance;
}

int virtif_fd(const virtif* instance) { return instance->loop->fd(); }

int64_t virtif_timeout_ns(const virtif* instance) {
  const auto deadline = instance->loop->next_deadline();
  if (!deadline) return -1;
  const Time now = const_cast<virtif*>(instance)->clock.now();
  return std::max<int64_t>(0, (*deadline - now).count());
}

int virtif_poll(virtif* instance, size_t budget) {
  if (instance->thread.joinable()) return 0;  // its own thread polls
  if (instance->loop->domain().busy()) return 0;
  return guarded(nullptr, [&] { return instance->loop->poll(budget == 0 ? host::kBudgetFrames : budget) ? 1 : 0; });
}

int virtif_post(virtif* instance, void (*work)(void*), void* cookie) {
  return guarded(nullptr, [&] {
    if (work == nullptr) return EINVAL;
    return instance->loop->domain().post([=] { work(cookie); }) ? 0 : EAGAIN;
  });
}

int virtif_create(virtif* instance, const char* name, virtif_if** interface, virtif_error* error) {
  return on_domain(*instance, error, [&] {
    if (name == nullptr || interface == nullptr) return report(error, EFAULT, "virtif_create needs a name and a place");
    const Result<net::Ifnet*> created = instance->interfaces->create(name);
    if (!created) return report(error, created.error().number(), created.error().text);
    instance->handles.emplace_back(*instance, **created);
    *interface = &instance->handles.back();
    return 0;
  });
}

int virtif_destroy(virtif_if* interface, virtif_error* error) {
  virtif& instance = interface->instance;
  return on_domain(instance, error, [&] {
    if (const Status gone = instance.interfaces->destroy(interface->ifp.name()); !gone) return report(error, gone);
    const auto forget = [&handles = instance.handles, interface] {
      handles.remove_if([&](const virtif_if& handle) { return &handle == interface; });
    };
    // Inside a callback the handle's own input() may be on the stack.
    net::Domain& domain = instance.loop->domain();
    if (!domain.in_upcall()) {
      forget();
      return 0;
    }
    interface->ifp.set_input(nullptr);
    interface->input.reset();
    domain.defer(forget);
    return 0;
  });
}

const char* virtif_name(const virtif_if* interface) { return interface->ifp.name().c_str(); }

int virtif_output(virtif_if* interface, const iovec* iov, size_t iovcnt, virtif_error* error) {
  return on_domain(interface->instance, error, [&] {
    if (iov == nullptr && iovcnt > 0) return report(error, EFAULT, "virtif_output needs its iovec");
    const Status sent = host::transmit(interface->ifp, iov, iovcnt);
    return sent ? 0 : report(error, sent.error().number(), net::transmit_refusal(sent.error()));
  });
}

int virtif_set_input(virtif_if* interface, virtif_input_fn input, void* cookie, virtif_error* error) {
  return on_domain(interface->instance, error, [&] {
    interface->ifp.set_input(nullptr);
    interface->input.reset();
    if (input != nullptr) interface->ifp.set_input(&interface->input.emplace(interface, input, cookie));
    return 0;
  });
}

}  // extern "C"
