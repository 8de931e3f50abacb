// SPDX-License-Identifier: BSD-2-Clause
// show and dump.
#include <fmt/core.h>

#include <cerrno>

#include "services/fwu/bank_rules.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "tools/virtifctl/fwu/fwu_json.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {
namespace {

using Json = nlohmann::json;
using Place = fwu::MetadataCopies::Place;

// Why a bank is in its state, in words.
std::string why(const fwu::Metadata& metadata, std::uint32_t bank, std::optional<std::uint16_t> boots) {
  switch (fwu::bank_state(metadata, bank)) {
    case fwu::BankState::accepted:
      return "all its images are accepted";
    case fwu::BankState::valid: {
      const bool is_active = bank == metadata.active_index;
      std::string text = is_active ? "on trial" : "complete: would be on trial if it booted";
      if (is_active && boots) text += fmt::format(", {} boots so far", *boots);
      for (const fwu::ImageEntry& entry : metadata.images) {
        if (!entry.banks[bank].is_accepted()) text += "; not accepted: " + fwu::to_string(entry.image_type);
      }
      return text;
    }
    case fwu::BankState::invalid:
      break;
  }
  return "half written, or given up after a trial: does not boot";
}

Json banks_json(const fwu::Metadata& metadata, std::optional<std::uint16_t> boots) {
  Json banks = Json::array();
  for (std::uint32_t bank = 0; bank < metadata.banks; ++bank) {
    banks.push_back({{"bank", bank},
                     {"active", bank == metadata.active_index},
                     {"previous", bank == metadata.previous_active_index},
                     {"state", fwu::name_of(fwu::bank_state(metadata, bank))},
                     {"why", why(metadata, bank, boots)}});
  }
  return banks;
}

std::string copy_text(const Result<fwu::Metadata>& copy) { return copy ? "good" : copy.error().text; }

Result<Json> device_json(FwuDevice& opened) {
  const fwu::Device device = opened.device();
  const auto copies = fwu::MetadataCopies::find(device);
  if (!copies) return copies.error();
  const auto primary = copies->read(Place::primary), secondary = copies->read(Place::secondary);
  Json json = {{"primary", copy_text(primary)}, {"secondary", copy_text(secondary)}};
  json["same"] = primary && secondary && *primary == *secondary;
  const auto metadata = copies->load();
  if (!metadata) return json;
  const auto counter = device.variables.get(fwu::kGlobalVariable, fwu::kTrialCounterName);
  const auto boots = counter && *counter ? fwu::read_trial_counter(**counter) : std::nullopt;
  json["banks"] = banks_json(*metadata, boots);
  json["metadata"] = fwu_metadata_json(*metadata);
  return json;
}

void print_text(const Json& json) {
  fmt::print("metadata: primary {}, secondary {}\n", json["primary"].get<std::string>(),
             json["secondary"].get<std::string>());
  if (!json["same"])
    fmt::print("the copies differ: the next boot makes them the same, the primary counts if it is good\n");
  for (const Json& bank : json.value("banks", Json::array())) {
    const char* role = bank["active"] ? "active" : bank["previous"] ? "previous" : "";
    fmt::print("bank {} {:8} {:8} {}\n", bank["bank"].get<int>(), role, bank["state"].get<std::string>(),
               bank["why"].get<std::string>());
  }
}

// What is on a disk does not depend on them.
class NoVariables final : public fwu::VariablePort {
 public:
  Result<std::optional<fwu::Variable>> get(const fwu::Guid&, const std::string&) override { return refusal(); }
  Status set(const fwu::Variable&) override { return refusal(); }
  Status erase(const fwu::Guid&, const std::string&) override { return refusal(); }

 private:
  static Error refusal() { return fail(ENOTSUP, "no variables are read here"); }
};

// What a file holds is told by how it begins.
Result<Json> file_json(const std::optional<fwu::Geometry>& geometry, fwu::ByteRange& file) {
  const auto header = fwu::read_capsule_header(file);
  const bool is_capsule = header && (header->guid == fwu::kFmpCapsule || header->guid == fwu::kAcceptCapsule ||
                                     header->guid == fwu::kRevertCapsule);
  if (is_capsule) {
    const auto capsule = fwu::Capsule::read(file);
    return capsule ? fwu_capsule_json(*capsule, file) : Result<Json>(capsule.error());
  }
  std::vector<std::byte> bytes(std::min<std::uint64_t>(file.size_bytes(), fwu::kMetadataBytesMax));
  if (Status read = file.read(0, bytes); !read) return read.error();
  const auto metadata = fwu::Metadata::parse(bytes, geometry);
  if (!metadata)
    return fail(EINVAL, "neither a disk with a GPT, nor a capsule, and as metadata: " + metadata.error().text);
  return fwu_metadata_json(*metadata);
}

Result<Json> disk_json(const fwu::Device& device) {
  const auto metadata = fwu_metadata(device);
  if (!metadata) return metadata.error();
  auto partitions = fwu_partitions_json(device, *metadata);
  if (!partitions) return std::move(partitions).error();
  return Json{{"metadata", fwu_metadata_json(*metadata)}, {"partitions", *partitions}};
}

void print_fields(const Json& json, const std::string& indent) {
  for (const auto& [name, value] : json.items()) {
    if (!value.is_structured()) {
      fmt::print("{}{}: {}\n", indent, name, value.is_string() ? value.get<std::string>() : value.dump());
      continue;
    }
    fmt::print("{}{}:\n", indent, json.is_array() ? "- " + name : name);
    print_fields(value, indent + "  ");
  }
}

}  // namespace

int fwu_show(const FwuOptions& options) {
  auto opened = FwuDevice::open(options, host::Access::read);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  const auto json = device_json(**opened);
  if (!json) return fwu_say(json.error().text, kFwuFailed);
  if (options.json) fmt::print("{}\n", json->dump(2));
  else print_text(*json);
  return json->contains("banks") ? 0 : kFwuFailed;
}

int fwu_dump(const FwuOptions& options) {
  auto file = host::FileStore::open(options.image, host::Access::read);
  if (!file) return fwu_say(file.error().text, kFwuFailed);
  const auto geometry = fwu_geometry(options);
  if (!geometry) return fwu_say(geometry.error().text, kFwuUsage);
  const auto partitions = (*file)->partitions();
  const bool is_disk = bool(partitions);
  NoVariables none;
  Result<Json> json = is_disk ? disk_json({**file, *partitions, none, *geometry}) : file_json(*geometry, **file);
  if (!json) return fwu_say(options.image + ": " + json.error().text, kFwuFailed);
  const auto sha256 = fwu_sha256(**file, 0, (*file)->size_bytes());
  if (!sha256) return fwu_say(sha256.error().text, kFwuFailed);
  (*json)[is_disk ? "sha256_uncompressed" : "sha256"] = *sha256;
  if (options.json) fmt::print("{}\n", json->dump(2));
  else print_fields(*json, "");
  return 0;
}

}  // namespace vif::tools
