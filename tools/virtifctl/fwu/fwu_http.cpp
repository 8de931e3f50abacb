// SPDX-License-Identifier: BSD-2-Clause
// --from http://...: lwIP's TCP on the interface, for one transfer.
#include "hypercall/fetch/http_get.hpp"
#include "netstack/lwip/lwip_stack.hpp"
#include "tools/virtifctl/fwu/fwu_fetch.hpp"
#include "tools/virtifctl/fwu/fwu_network.hpp"

namespace vif::tools {
namespace {

struct HttpToSpool final : host::HttpEvents {
  explicit HttpToSpool(FwuTransfer& transfer_in) : transfer(transfer_in) {}

  Status http_received(Bytes bytes) override { return transfer.take(bytes, get->file_bytes()); }
  void http_ended(const Status& how_it_ended) override {
    how = how_it_ended;
    done = true;
  }

  FwuTransfer& transfer;
  const host::HttpGet* get = nullptr;
  bool done = false;
  Status how;
};

}  // namespace

Status fwu_fetch_http(FwuTransfer transfer) {
  FwuNetwork& network = transfer.network;
  auto stack = net::lwip::LwipStack::create(network.domain(), {});
  if (!stack) return std::move(stack).error();
  if (Status attached = (*stack)->attach(network.ifp()); !attached) return attached;
  if (Status added = (*stack)->add_address(network.ifp(), network.place().address); !added) return added;
  if (network.place().gateway) {
    if (Status set = (*stack)->set_gateway(network.ifp(), *network.place().gateway); !set) return set;
  }
  HttpToSpool events(transfer);
  host::HttpGet get(**stack, network.domain(), events);
  events.get = &get;
  if (Status started = get.start(transfer.url, transfer.bytes_max, kFwuPatience); !started) return started;
  if (Status ran = network.run_until(events.done); !ran) return ran;
  return events.how;
}

}  // namespace vif::tools
