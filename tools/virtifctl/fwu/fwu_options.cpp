// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "hypercall/linux_ports.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "tools/virtifctl/fwu/fwu_fetch.hpp"
#include "tools/virtifctl/fwu/fwu_text.hpp"

namespace vif::tools {
namespace {

struct Trust {
  fwu::Guid type;
  std::string certificate;
};

Result<Trust> parse_trust(const std::string& word) {
  const std::size_t equals = word.find('=');
  const auto type = fwu::parse_guid(std::string_view(word).substr(0, equals == std::string::npos ? 0 : equals));
  if (type) return Trust{*type, word.substr(equals + 1)};
  return fail(EINVAL, "--trust " + word +
                          ": TYPE=CERTIFICATE was expected. A signature does not cover the image "
                          "type, so each key is trusted for one");
}

// IMAGE.var of the real file, so that its floors are found by every name it has.
Result<std::string> variables_beside(const std::string& image) {
  std::error_code failed;
  const std::filesystem::path real = std::filesystem::canonical(image, failed);
  if (failed) return Error{failed, image + ": " + failed.message()};
  const std::string beside = image + ".var", found = real.string() + ".var";
  if (!std::filesystem::exists(beside) || std::filesystem::equivalent(beside, found, failed)) return found;
  return fail(EEXIST, image + " is a link to " + real.string() + ", whose variables are " + found + ": remove " +
                          beside + ", or say which with --vars");
}

}  // namespace

int fwu_say(const std::string& text, int status) {
  fmt::print(stderr, "virtifctl: {}\n", fwu_printable(text));
  return status;
}

int fwu_status(const Error& error) { return error.number() == EINVAL ? kFwuUsage : kFwuFailed; }

int fwu_refusal(const std::vector<fwu::CapsuleFile>& files) {
  const bool all_opened =
      std::all_of(files.begin(), files.end(), [](const fwu::CapsuleFile& file) { return bool(file.opened); });
  return all_opened ? kFwuRefused : kFwuFailed;
}

Status fwu_check_words(const FwuOptions& options) {
  if (const auto geometry = fwu_geometry(options); !geometry) return geometry.error();
  for (const std::string& word : options.trust) {
    if (const auto trust = parse_trust(word); !trust) return trust.error();
  }
  std::error_code ignored;
  if (options.is_device && options.variables.empty() && std::filesystem::is_block_file(options.image, ignored)) {
    return fail(EINVAL, "--vars FILE was expected: a block device has no file beside it");
  }
  return fwu_check_fetch(options);
}

Result<std::optional<fwu::Geometry>> fwu_geometry(const FwuOptions& options) {
  if (options.geometry.empty()) return std::optional<fwu::Geometry>();
  fwu::Geometry geometry;
  char behind = 0;
  if (std::sscanf(options.geometry.c_str(), "%ux%u%c", &geometry.banks, &geometry.images, &behind) != 2 ||
      geometry.banks < 1 || geometry.banks > fwu::kBanksMax || geometry.images < 1) {
    return fail(EINVAL, "--geometry " + options.geometry + ": BANKSxIMAGES was expected, as in 2x2, with 1 to 4 banks");
  }
  return std::optional(geometry);
}

Result<fwu::Metadata> fwu_metadata(const fwu::Device& device) {
  const auto copies = fwu::MetadataCopies::find(device);
  if (!copies) return copies.error();
  return copies->load();
}

std::string fwu_no_such_bank(const FwuOptions& options, const fwu::Metadata& metadata) {
  if (!options.bank || *options.bank < metadata.banks) return {};
  return fmt::format("--bank {}: 0 to {} was expected", *options.bank, metadata.banks - 1);
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
  const Result<std::string> variables =
      options.variables.empty() ? variables_beside(options.image) : Result<std::string>(options.variables);
  if (!variables) return variables.error();
  Result<std::unique_ptr<host::VariableStore>> opened = host::VariableStore::open(*variables);
  if (!opened) return std::move(opened).error();
  device->variables = *std::move(opened);
  return device;
}

Result<std::unique_ptr<host::CmsSignatures>> fwu_trust(const FwuOptions& options) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  auto signatures = std::make_unique<host::CmsSignatures>(host::LinuxClock().wall_ns() / kSecond);
  for (const std::string& word : options.trust) {
    const Result<Trust> trust = parse_trust(word);
    if (!trust) return trust.error();
    if (Status trusted = signatures->trust(trust->type, trust->certificate); !trusted) return trusted.error();
  }
  return signatures;
}

}  // namespace vif::tools
