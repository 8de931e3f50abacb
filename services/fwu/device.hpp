// SPDX-License-Identifier: BSD-2-Clause
// What an update needs of its host: a medium with partitions, a place for variables, digests and signatures.
// hypercall/fwu answers with files, block devices and OpenSSL; tests with memory that loses its power. One thread at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "netstack/base/stream.hpp"
#include "services/fwu/byte_range.hpp"
#include "services/fwu/fwu_trace.hpp"
#include "services/fwu/guid.hpp"
#include "services/fwu/metadata.hpp"
#include "services/fwu/variables.hpp"

namespace vif::fwu {

// The whole medium. The caller of this service has it for itself (a lock) as long as it is used.
class StorePort : public ByteRange {
 public:
  // Writes all of `bytes`. After an error a part of them may be there.
  virtual Status write(std::uint64_t offset, Bytes bytes) = 0;

  // What was written before lasts once this has returned, whenever the power goes. Before, any part of it may be lost,
  // in any order. After an error nothing is known of it.
  virtual Status flush() = 0;
};

struct Partition {
  std::uint32_t number = 0;
  Guid type;
  Guid unique;
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
};

using DigestBytes = std::array<std::uint8_t, 32>;

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(Bytes bytes) = 0;
  virtual DigestBytes finish() = 0;  // once
};

class DigestPort {
 public:
  virtual ~DigestPort() = default;
  virtual std::unique_ptr<Digest> sha256() = 0;
};

// Of `count` bytes from `offset` on. Uses 1 MiB of memory at the most. Errors: of the range.
VIF_API Result<DigestBytes> digest_of_bytes(DigestPort& digests, ByteRange& from, std::uint64_t offset,
                                            std::uint64_t count);

class SignaturePort {
 public:
  virtual ~SignaturePort() = default;

  // Whether `pkcs7` (DER, detached) is the signature of all of `content` by a key that is trusted for this image type:
  // a signature does not cover the type, so the key must. Reads `content` to its end, once. EKEYREJECTED: it is not;
  // else the error of `content`.
  virtual Status verify(const Guid& image_type, Bytes pkcs7, ByteSource& content) = 0;
};

// All of it, borrowed for the life of what uses it.
struct Device {
  StorePort& store;
  std::span<const Partition> partitions;
  VariablePort& variables;
  std::optional<Geometry> geometry = {};  // of version 1 metadata, where the operator knows it
  FwuTrace* trace = nullptr;              // null: nobody is told
};

// The one with this unique GUID. Errors: ENODEV there is none, EINVAL there are two.
VIF_API Result<Partition> find_partition(std::span<const Partition> partitions, const Guid& unique);

}  // namespace vif::fwu
