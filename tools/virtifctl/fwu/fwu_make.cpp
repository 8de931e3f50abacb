// SPDX-License-Identifier: BSD-2-Clause
// mkmeta and mkcapsule: files of metadata and capsules.
#include <fmt/core.h>

#include <cerrno>
#include <limits>

#include "hypercall/linux_ports.hpp"
#include "services/fwu/bank_layout.hpp"
#include "services/fwu/capsule_writer.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {
namespace {

Result<std::vector<std::byte>> read_file(const std::string& path) {
  auto file = host::FileStore::open(path, host::Access::read);
  if (!file) return std::move(file).error();
  if ((*file)->size_bytes() > std::numeric_limits<std::int32_t>::max())
    return fail(EFBIG, path + ": less than 2 GiB were expected");
  std::vector<std::byte> bytes((*file)->size_bytes());
  if (Status read = (*file)->read(0, bytes); !read) return read.error();
  return bytes;
}

int write_file(const std::string& path, Bytes bytes) {
  auto sink = host::LinuxFiles().create_sink(path);
  if (!sink) return fwu_say(sink.error().text, kFwuFailed);
  const Status written = (*sink)->append(bytes);
  return written ? 0 : fwu_say(written.error().text, kFwuFailed);
}

// "LOCATION,TYPE,BANK0,BANK1..."; "0" is the nil GUID.
Result<fwu::ImageEntry> parse_entry(const std::string& text) {
  std::vector<fwu::Guid> guids;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    const auto guid = word == "0" ? std::optional(fwu::Guid{}) : fwu::parse_guid(word);
    if (!guid) return fail(EINVAL, "'" + word + "' in " + text + ": a GUID was expected, or 0");
    guids.push_back(*guid);
    at = comma + 1;
  }
  if (guids.size() < 3 || guids.size() - 2 > fwu::kBanksMax) {
    return fail(EINVAL, text + ": LOCATION,TYPE and then 1 to 4 banks were expected");
  }
  if (guids[1] == fwu::Guid{}) return fail(EINVAL, text + ": an image's TYPE is not the nil GUID");
  fwu::ImageEntry entry{guids[1], guids[0], {}};
  for (std::size_t i = 2; i < guids.size(); ++i) entry.banks.push_back({guids[i], 1, 0});
  return entry;
}

Result<fwu::Metadata> make_metadata(const FwuOptions& options) {
  fwu::Metadata metadata;
  metadata.version = options.metadata_version;
  for (const std::string& text : options.files) {
    Result<fwu::ImageEntry> entry = parse_entry(text);
    if (!entry) return std::move(entry).error();
    metadata.images.push_back(*std::move(entry));
  }
  metadata.banks = static_cast<std::uint32_t>(metadata.images[0].banks.size());
  metadata.active_index = options.active;
  metadata.previous_active_index =
      options.previous.value_or(options.active == 0 ? metadata.banks - 1 : options.active - 1);
  for (const fwu::ImageEntry& entry : metadata.images) {
    if (entry.banks.size() != metadata.banks) return fail(EINVAL, "all images have the same number of banks");
  }
  if (Status distinct = fwu::check_images_distinct(metadata); !distinct) return distinct.error();
  for (std::uint32_t bank = 0; options.metadata_version == 2 && bank < metadata.banks; ++bank) {
    metadata.bank_state_bytes[bank] = static_cast<std::uint8_t>(fwu::BankState::accepted);
  }
  if (options.vendor.empty()) return metadata;
  if (options.metadata_version == 1) return fail(EINVAL, "--vendor: version 1 has no room for vendor data");
  Result<std::vector<std::byte>> vendor = read_file(options.vendor);
  if (!vendor) return std::move(vendor).error();
  metadata.vendor = *std::move(vendor);
  return metadata;
}

// Empty: nothing.
std::string wrong_with_capsule(const FwuOptions& options) {
  const auto type = fwu::parse_guid(options.image_type);
  if (!type || *type == fwu::Guid{}) return "--type GUID was expected, not nil";
  if (options.files.size() != 1) return "one BLOB was expected";
  if (options.certificate.empty() != options.key.empty()) return "--cert and --key go together";
  if (options.monotonic_count && options.key.empty()) return "--count is signed: --cert and --key were expected";
  if (options.fw_version.value_or(0) >= options.lowest_version.value_or(0)) return {};
  return fmt::format("--lowest {}: at most the image's own --fw-version ({}) was expected", *options.lowest_version,
                     options.fw_version.value_or(0));
}

int make_empty(const FwuOptions& options) {
  const auto type = fwu::parse_guid(options.image_type);
  if (options.make_accept && options.make_revert)
    return fwu_say("--accept or --revert was expected, not both", kFwuUsage);
  if (!options.files.empty()) return fwu_say("an empty capsule takes no BLOB", kFwuUsage);
  if (options.make_accept && !type) return fwu_say("--accept needs --type GUID", kFwuUsage);
  if (options.make_revert && !options.image_type.empty()) return fwu_say("--revert takes no --type", kFwuUsage);
  return write_file(options.image,
                    options.make_accept ? fwu::write_accept_capsule(*type) : fwu::write_revert_capsule());
}

}  // namespace

int fwu_mkmeta(const FwuOptions& options) {
  const Result<fwu::Metadata> metadata = make_metadata(options);
  if (!metadata) return fwu_say(metadata.error().text, kFwuUsage);
  const std::vector<std::byte> bytes = metadata->store();
  const fwu::Geometry geometry{metadata->banks, static_cast<std::uint32_t>(metadata->images.size())};
  if (auto read = fwu::Metadata::parse(bytes, geometry); !read) return fwu_say(read.error().text, kFwuUsage);
  return write_file(options.image, bytes);
}

int fwu_mkcapsule(const FwuOptions& options) {
  if (options.make_accept || options.make_revert) return make_empty(options);
  if (const std::string wrong = wrong_with_capsule(options); !wrong.empty()) return fwu_say(wrong, kFwuUsage);
  const auto type = fwu::parse_guid(options.image_type);
  const Result<std::vector<std::byte>> blob = read_file(options.files[0]);
  if (!blob) return fwu_say(blob.error().text, kFwuFailed);
  if (blob->empty()) return fwu_say(options.files[0] + " is empty: no device takes an image of no bytes", kFwuUsage);
  fwu::ItemToWrite item{.image_type = *type,
                        .image_index = static_cast<std::uint8_t>(options.image_index),
                        .hardware_instance = options.hardware_instance,
                        .payload = {},
                        .dependency = {},
                        .image = *blob,
                        .signature = {}};
  if (options.fw_version || options.lowest_version) {
    item.payload = {options.fw_version.value_or(0), options.lowest_version.value_or(0)};
  }
  if (!options.key.empty()) {
    const std::uint64_t count = options.monotonic_count.value_or(0);
    const auto signature = host::cms_sign(fwu::signed_bytes(item, count), options.certificate, options.key);
    if (!signature) return fwu_say(signature.error().text, kFwuFailed);
    item.signature = {count, *signature};
  }
  const std::uint32_t flags = fwu::kPersistAcrossReset | options.flags | (options.accept_later ? fwu::kAcceptLater : 0);
  const auto capsule = fwu::write_firmware_capsule({&item, 1}, flags, options.header_size);
  if (!capsule) return fwu_say(capsule.error().text, kFwuUsage);
  return write_file(options.image, *capsule);
}

}  // namespace vif::tools
