// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/item_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "services/fwu/capsule_format.hpp"
#include "services/fwu/dependency.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {

using namespace format;

namespace {

constexpr std::uint32_t kPkcs7BytesMax = 64 * 1024;  // ours: a signature with a chain of certificates has a few KiB

Error malformed(std::uint64_t offset, const std::string& what) {
  return fail(std::errc::invalid_argument, "the capsule's item at byte " + std::to_string(offset) + " " + what);
}

Error rejected(std::uint64_t offset, const std::string& what) {
  return fail(EKEYREJECTED, "the signature at byte " + std::to_string(offset) + " " + what);
}

// The part of an image not read yet: what stands in front of it moves its beginning.
struct Rest {
  std::uint64_t offset = 0, bytes = 0;

  void skip(std::uint64_t count) { offset += count, bytes -= count; }
};

Result<Authentication> read_authentication(ByteRange& file, Rest& rest) {
  std::array<std::byte, kCertDataAt> head{};
  if (rest.bytes < head.size())
    return rejected(rest.offset, "needs 32 bytes, its image has " + std::to_string(rest.bytes));
  if (Status read = file.read(rest.offset, head); !read) return read.error();
  const std::uint32_t length = load_le32(&head[kCertLengthAt]);
  constexpr std::uint32_t kHeadBytes = kCertDataAt - kCertLengthAt;
  if (length <= kHeadBytes || length > rest.bytes - kCertLengthAt || length - kHeadBytes > kPkcs7BytesMax) {
    return rejected(rest.offset, "says it has " + std::to_string(length) +
                                     " bytes, more than 24 and at most those of "
                                     "its image (" +
                                     std::to_string(rest.bytes - kCertLengthAt) + ") were expected");
  }
  if (load_le16(&head[kCertRevisionAt]) != kCertRevision || load_le16(&head[kCertKindAt]) != kCertKindGuid ||
      load_guid(&head[kCertTypeAt]) != kPkcs7Certificate) {
    return rejected(rest.offset, "is not of the one kind that is known, PKCS7");
  }
  Authentication authentication;
  authentication.monotonic_count = load_le64(&head[0]);
  authentication.pkcs7.resize(length - kHeadBytes);
  if (Status read = file.read(rest.offset + kCertDataAt, authentication.pkcs7); !read) return read.error();
  rest.skip(kCertLengthAt + length);
  authentication.signed_offset = rest.offset;
  return authentication;
}

Result<std::vector<std::byte>> read_dependency(ByteRange& file, Rest& rest) {
  std::vector<std::byte> front(std::min<std::uint64_t>(rest.bytes, kDependencyBytesMax));
  if (Status read = file.read(rest.offset, front); !read) return read.error();
  Result<std::size_t> bytes = dependency_bytes(front);
  if (!bytes) return malformed(rest.offset, "has a dependency that cannot be read: " + bytes.error().text);
  front.resize(*bytes);
  rest.skip(*bytes);
  return front;
}

Result<std::optional<PayloadVersion>> read_payload_header(ByteRange& file, Rest& rest) {
  std::array<std::byte, kPayloadHeaderBytes> head{};
  if (rest.bytes < head.size()) return std::optional<PayloadVersion>();
  if (Status read = file.read(rest.offset, head); !read) return read.error();
  if (load_le32(&head[0]) != kPayloadSignature) return std::optional<PayloadVersion>();
  const std::uint32_t size = load_le32(&head[kPayloadSizeAt]);
  if (size < kPayloadHeaderBytes || size > rest.bytes) {
    return malformed(rest.offset, "has a payload header of " + std::to_string(size) + " bytes, 16 to " +
                                      std::to_string(rest.bytes) + " can be");
  }
  rest.skip(size);
  return std::optional<PayloadVersion>({load_le32(&head[kPayloadVersionAt]), load_le32(&head[kPayloadLowestAt])});
}

// Nobody signs the item's header, so its bits cannot make a signed dependency a part of the firmware. Firmware that
// begins like a dependency with a payload header behind it is not to be expected.
Status check_no_hidden_dependency(ByteRange& file, const Rest& rest) {
  std::vector<std::byte> front(std::min<std::uint64_t>(rest.bytes, kDependencyBytesMax + kPayloadHeaderBytes));
  if (Status read = file.read(rest.offset, front); !read) return read;
  const Result<std::size_t> bytes = dependency_bytes(front);
  if (!bytes || front.size() - *bytes < kPayloadHeaderBytes) return {};
  if (load_le32(&front[*bytes]) != kPayloadSignature) return {};
  return rejected(rest.offset, "covers a dependency that the item's header, which nobody signed, does not tell of: " +
                                   dependency_text(Bytes(front).first(*bytes)));
}

// In the order they stand in, each only where the item says so; the payload header says so itself.
Status read_fronts(ByteRange& file, Rest& rest, FmpItem& item) {
  if (item.support & kSupportsAuthentication) {
    Result<Authentication> authentication = read_authentication(file, rest);
    if (!authentication) return std::move(authentication).error();
    item.authentication = *std::move(authentication);
  }
  if (item.support & kSupportsDependency) {
    Result<std::vector<std::byte>> dependency = read_dependency(file, rest);
    if (!dependency) return std::move(dependency).error();
    item.dependency = *std::move(dependency);
  } else if (item.authentication) {
    if (Status checked = check_no_hidden_dependency(file, rest); !checked) return checked;
  }
  Result<std::optional<PayloadVersion>> payload = read_payload_header(file, rest);
  if (!payload) return std::move(payload).error();
  item.payload = *payload;
  item.image_offset = rest.offset;
  item.image_bytes = rest.bytes;
  return {};
}

}  // namespace

Result<FmpItem> read_item(ByteRange& file, std::uint64_t offset, std::uint64_t limit) {
  std::array<std::byte, kItemBytes[2]> head{};
  const std::size_t present = static_cast<std::size_t>(std::min<std::uint64_t>(limit - offset, head.size()));
  if (present < kItemBytes[0]) return malformed(offset, "ends within its header");
  if (Status read = file.read(offset, MutBytes(head).first(present)); !read) return read.error();
  FmpItem item;
  item.version = load_le32(&head[0]);
  if (item.version < 1 || item.version > 3) {
    return fail(std::errc::not_supported, "the capsule's item at byte " + std::to_string(offset) + " is of version " +
                                              std::to_string(item.version) + ", 1 to 3 are known");
  }
  const std::size_t head_bytes = kItemBytes[item.version - 1];
  if (present < head_bytes) return malformed(offset, "ends within its header");
  item.image_type = load_guid(&head[kItemTypeAt]);
  item.image_index = std::to_integer<std::uint8_t>(head[kItemIndexAt]);
  item.hardware_instance = item.version >= 2 ? load_le64(&head[kItemInstanceAt]) : 0;
  item.support = item.version >= 3 ? load_le64(&head[kItemSupportAt]) : 0;

  // Both are 32 bits wide, so their sum does not wrap.
  const std::uint64_t image = load_le32(&head[kItemImageSizeAt]), vendor = load_le32(&head[kItemVendorSizeAt]);
  const std::uint64_t room = limit - offset - head_bytes;
  if (image + vendor > room) {
    return malformed(offset, "says it has " + std::to_string(image) + " + " + std::to_string(vendor) + " bytes, " +
                                 std::to_string(room) + " are there");
  }
  item.end_offset = offset + head_bytes + image + vendor;
  Rest rest{offset + head_bytes, image};
  if (Status read = read_fronts(file, rest, item); !read) return read.error();
  return item;
}

}  // namespace vif::fwu
