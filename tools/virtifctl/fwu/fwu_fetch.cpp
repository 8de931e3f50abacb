// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_fetch.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "netstack/inet/tftp_client.hpp"
#include "tools/virtifctl/fwu/fwu_network.hpp"

namespace vif::tools {
namespace {

using net::inet::IpAddress;
using net::inet::IpPrefix;

struct TftpToSpool final : net::inet::TftpEvents {
  explicit TftpToSpool(FwuTransfer& transfer_in) : transfer(transfer_in) {}

  Status tftp_received(Bytes bytes) override { return transfer.take(bytes, client->read().file_bytes); }
  void tftp_ended(const Status& how_it_ended) override {
    how = how_it_ended;
    done = true;
  }

  FwuTransfer& transfer;
  const net::inet::TftpClient* client = nullptr;
  bool done = false;
  Status how;
};

// Nothing: by DHCP.
Result<std::optional<FwuNetwork::Place>> said_place(const FwuOptions& options) {
  if (options.address.empty()) {
    if (!options.gateway.empty()) return fail(EINVAL, "--gateway ADDRESS goes with --address ADDRESS/LENGTH");
    return std::optional<FwuNetwork::Place>();
  }
  FwuNetwork::Place place;
  if (options.address.find('/') == std::string::npos) {
    return fail(EINVAL, "--address " + options.address + ": ADDRESS/LENGTH was expected, as in 192.0.2.2/24");
  }
  const Result<IpPrefix> address = IpPrefix::parse(options.address);
  if (!address) return fail(EINVAL, "--address " + address.error().text);
  place.address = *address;
  if (options.gateway.empty()) return std::optional(place);
  const Result<IpAddress> gateway = IpAddress::parse(options.gateway);
  if (!gateway) return fail(EINVAL, "--gateway " + gateway.error().text);
  place.gateway = *gateway;
  return std::optional(place);
}

// $TMPDIR, or beside the medium.
std::string spool_folder(const FwuOptions& options) {
  const char* const tmpdir = std::getenv("TMPDIR");
  if (tmpdir != nullptr && *tmpdir != '\0') return tmpdir;
  if (options.image.starts_with("/dev/")) return "/var/tmp";
  const std::string beside = std::filesystem::path(options.image).parent_path().string();
  return beside.empty() ? "." : beside;
}

Result<FwuFetched> fetch_one(const FwuOptions& options, const host::Url& url, FwuNetwork& network,
                             std::uint64_t bytes_max) {
  auto spool = host::Spool::create(spool_folder(options));
  if (!spool) return std::move(spool).error();
  FwuNarrator narrator(options.json ? FwuNarrator::Tone::silent : FwuNarrator::Tone::speaks);
  const bool is_tftp = url.scheme == host::Url::Scheme::tftp;
  const std::string text = fmt::format("{}://{}/{}", is_tftp ? "tftp" : "http", url.authority,
                                       std::string_view(url.path).substr(is_tftp ? 0 : 1));
  narrator.step("fetching " + text);
  options.trace->fetch_begin(text);
  FwuTransfer transfer{network, url, **spool, bytes_max, narrator};
  const Status done = is_tftp ? fwu_fetch_tftp(transfer) : fwu_fetch_http(transfer);
  const std::uint64_t bytes = (*spool)->bytes();
  const std::string digest = (*spool)->sha256();
  options.trace->fetch_end(text, bytes, digest, done ? 0 : done.error().number());
  if (!done) return done.error();
  narrator.step(fmt::format("fetched {} bytes, SHA-256 {}", bytes, digest));
  return FwuFetched{url.name(), *std::move(spool)};
}

}  // namespace

Status FwuTransfer::take(Bytes bytes, std::optional<std::uint64_t> total) {
  if (Status kept = spool.append(bytes); !kept) return kept;
  narrator.progress(spool.bytes(), total.value_or(0));
  return {};
}

Status fwu_fetch_tftp(FwuTransfer transfer) {
  auto inet = transfer.network.make_inet();
  if (!inet) return std::move(inet).error();
  TftpToSpool events(transfer);
  net::inet::TftpClient client(**inet, transfer.network.domain(), events);
  events.client = &client;
  const Status started = client.start({.server = transfer.url.server,
                                       .port = transfer.url.port,
                                       .file = transfer.url.path,
                                       .file_bytes_max = transfer.bytes_max,
                                       .patience = kFwuPatience});
  if (!started) return started;
  if (Status ran = transfer.network.run_until(events.done); !ran) return ran;
  return events.how;
}

Status fwu_check_fetch(const FwuOptions& options) {
  if (options.from.empty()) {
    const bool is_lost = !options.via.empty() || !options.address.empty() || !options.gateway.empty();
    return is_lost ? Status(fail(EINVAL, "--via, --address and --gateway go with --from URL")) : Status();
  }
  if (options.via.empty()) return fail(EINVAL, "--from URL needs --via LINKSTR, the link it comes by, as in tap:t0");
  const auto said = said_place(options);
  if (!said) return said.error();
  for (const std::string& text : options.from) {
    const Result<host::Url> url = host::Url::parse(text);
    if (!url) return url.error();
    if (!*said && !url->server.is_v4()) return fail(EINVAL, text + ": DHCP gives no IPv6 address, --address is needed");
  }
  return {};
}

Result<std::vector<FwuFetched>> fwu_fetch(const FwuOptions& options) {
  const auto said = said_place(options);
  if (!said) return said.error();
  std::vector<host::Url> urls;
  for (const std::string& text : options.from) {
    Result<host::Url> url = host::Url::parse(text);
    if (!url) return std::move(url).error();
    urls.push_back(*std::move(url));
  }
  // No capsule that the medium could take is larger than it.
  const auto medium = host::FileStore::open(options.image, host::Access::read);
  if (!medium) return medium.error();
  auto network = FwuNetwork::open(options.via, options.recorder);
  if (!network) return std::move(network).error();
  if (*said) (*network)->settle(**said);
  else if (Status asked = (*network)->ask_for_place(); !asked) return asked.error();
  std::vector<FwuFetched> fetched;
  for (const host::Url& url : urls) {
    Result<FwuFetched> one = fetch_one(options, url, **network, (*medium)->size_bytes());
    if (!one) return std::move(one).error();
    fetched.push_back(*std::move(one));
  }
  return fetched;
}

}  // namespace vif::tools
