// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/variable_file.hpp"

#include <algorithm>
#include <cerrno>

#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {
namespace {

// U-Boot, struct efi_var_file and struct efi_var_entry.
constexpr std::uint64_t kMagic = 0x0161'5669'6645'6255;
constexpr std::size_t kHeadBytes = 24, kMagicAt = 8, kLengthAt = 16, kCrcAt = 20;
constexpr std::size_t kEntryBytes = 32, kAttributesAt = 4, kSpaceAt = 16;
constexpr std::size_t kAlignment = 8;

Error damaged(std::size_t at, const char* what) {
  return fail(std::errc::bad_message,
              "the file of variables is damaged at byte " + std::to_string(at) + ": " + std::string(what));
}

// The name from `at` on, in UTF-16 with an end, and how many bytes both have; nothing: it has no end or is not ASCII.
std::optional<std::pair<std::string, std::size_t>> read_name(Bytes file, std::size_t at) {
  std::string name;
  for (std::size_t i = at; i + 2 <= file.size(); i += 2) {
    const std::uint16_t unit = load_le16(&file[i]);
    if (unit == 0) return std::pair(name, i + 2 - at);
    if (unit > 0x7e) return std::nullopt;
    name += static_cast<char>(unit);
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<Variable>> read_variable_file(Bytes file) {
  if (file.size() > kVariableFileBytesMax) {
    return fail(EFBIG, "the file of variables is larger than 1 MiB: remove variables nobody needs");
  }
  if (file.size() < kHeadBytes) return damaged(0, "24 bytes or more were expected");
  if (load_le64(&file[kMagicAt]) != kMagic) return damaged(kMagicAt, "this is no ubootefi.var");
  const std::uint32_t length = load_le32(&file[kLengthAt]);
  if (length < kHeadBytes || length > file.size()) return damaged(kLengthAt, "its length is not that of the file");
  file = file.first(length);
  if (crc32(file.subspan(kHeadBytes)) != load_le32(&file[kCrcAt])) return damaged(kCrcAt, "its CRC does not match");
  std::vector<Variable> variables;
  for (std::size_t at = kHeadBytes; at < file.size();) {
    if (file.size() - at < kEntryBytes) return damaged(at, "a variable ends too early");
    const std::size_t data_bytes = load_le32(&file[at]);
    const auto name = read_name(file, at + kEntryBytes);
    if (!name) return damaged(at + kEntryBytes, "a variable's name does not end, or is not ASCII");
    const std::size_t data_at = at + kEntryBytes + name->second;
    if (data_bytes > file.size() - data_at) return damaged(at, "a variable ends too early");
    const Bytes data = file.subspan(data_at, data_bytes);
    variables.push_back({load_guid(&file[at + kSpaceAt]),
                         name->first,
                         load_le32(&file[at + kAttributesAt]),
                         {data.begin(), data.end()}});
    at = (data_at + data_bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  return variables;
}

std::vector<std::byte> write_variable_file(const std::vector<Variable>& variables) {
  std::vector<std::byte> file(kHeadBytes);
  for (const Variable& variable : variables) {
    std::vector<std::byte> entry(kEntryBytes + (variable.name.size() + 1) * 2);
    store_le32(&entry[0], static_cast<std::uint32_t>(variable.bytes.size()));
    store_le32(&entry[kAttributesAt], variable.attributes);
    store_guid(&entry[kSpaceAt], variable.space);
    for (std::size_t i = 0; i < variable.name.size(); ++i) {
      entry[kEntryBytes + i * 2] = static_cast<std::byte>(variable.name[i]);
    }
    append(file, entry);
    append(file, variable.bytes);
    file.resize((file.size() + kAlignment - 1) / kAlignment * kAlignment);
  }
  store_le64(&file[kMagicAt], kMagic);
  store_le32(&file[kLengthAt], static_cast<std::uint32_t>(file.size()));
  store_le32(&file[kCrcAt], crc32(Bytes(file).subspan(kHeadBytes)));
  return file;
}

}  // namespace vif::fwu
