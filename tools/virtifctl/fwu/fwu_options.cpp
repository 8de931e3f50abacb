// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_options.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>

#include "hypercall/linux_ports.hpp"

namespace vif::tools {

int fwu_say(const std::string& text, int status) {
  fmt::print(stderr, "virtifctl: {}\n", text);
  return status;
}

int fwu_status(const Error& error) { return error.number() == EINVAL ? kFwuUsage : kFwuFailed; }

Result<std::optional<fwu::Geometry>> fwu_geometry(const FwuOptions& options) {
  if (options.geometry.empty()) return std::optional<fwu::Geometry>();
  fwu::Geometry geometry;
  char behind = 0;
  if (std::sscanf(options.geometry.c_str(), "%ux%u%c", &geometry.banks, &geometry.images, &behind) != 2) {
    return fail(EINVAL, "--geometry " + options.geometry + ": BANKSxIMAGES was expected, as in 2x2");
  }
  return std::optional(geometry);
}

Result<std::unique_ptr<FwuDevice>> FwuDevice::open(const FwuOptions& options, host::Access access) {
  auto device = std::make_unique<FwuDevice>();
  const Result<std::optional<fwu::Geometry>> geometry = fwu_geometry(options);
  if (!geometry) return geometry.error();
  device->geometry = *geometry;
  device->trace = options.trace;
  Result<std::unique_ptr<host::FileStore>> store = host::FileStore::open(options.image, access);
  if (!store) return std::move(store).error();
  device->store = *std::move(store);
  Result<std::vector<fwu::Partition>> partitions = device->store->partitions();
  if (!partitions) return std::move(partitions).error();
  device->partitions = *std::move(partitions);
  const std::string variables = options.variables.empty() ? options.image + ".var" : options.variables;
  if (options.variables.empty() && options.image.starts_with("/dev/")) {
    return fail(EINVAL, "--vars FILE was expected: a block device has no file beside it");
  }
  Result<std::unique_ptr<host::VariableStore>> opened = host::VariableStore::open(variables);
  if (!opened) return std::move(opened).error();
  device->variables = *std::move(opened);
  return device;
}

Result<std::unique_ptr<host::CmsSignatures>> fwu_trust(const FwuOptions& options) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  auto signatures = std::make_unique<host::CmsSignatures>(host::LinuxClock().wall_ns() / kSecond);
  for (const std::string& word : options.trust) {
    const std::size_t equals = word.find('=');
    const auto type = fwu::parse_guid(std::string_view(word).substr(0, equals == std::string::npos ? 0 : equals));
    if (!type) {
      return fail(EINVAL, "--trust " + word +
                              ": TYPE=CERTIFICATE was expected. A signature does not cover the image "
                              "type, so each key is trusted for one");
    }
    if (Status trusted = signatures->trust(*type, word.substr(equals + 1)); !trusted) return trusted.error();
  }
  return signatures;
}

}  // namespace vif::tools
