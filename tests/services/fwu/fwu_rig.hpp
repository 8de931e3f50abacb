// SPDX-License-Identifier: BSD-2-Clause
// A device with banks of firmware in memory, and the capsules for it: what tests of updates boot, update, cut and look
// at. Every image is a run of one character, so that a bank reads "aabb": the first image is of 'a's, the second of
// 'b's.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "hypercall/sim/sim_medium.hpp"
#include "services/fwu/bank_rules.hpp"
#include "services/fwu/boot_check.hpp"
#include "services/fwu/capsule_writer.hpp"
#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/update.hpp"
#include "tests/services/fwu/some_metadata.hpp"

namespace vif::test {

using host::sim::SimMedium;
using host::sim::SimStore;
using Buffer = std::vector<std::byte>;

// Good enough to tell what tests write; tests of the real one are in tests/hypercall/fwu.
class WeakDigests final : public fwu::DigestPort {
 public:
  std::unique_ptr<fwu::Digest> sha256() override { return std::make_unique<Weak>(); }

 private:
  struct Weak final : fwu::Digest {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    void update(Bytes bytes) override {
      const auto mix = [this](std::uint64_t word) { hash = (hash ^ word) * 0x100'0000'01b3, hash ^= hash >> 29; };
      for (; bytes.size() >= 8; bytes = bytes.subspan(8)) mix(fwu::load_le64(bytes.data()));
      for (const std::byte byte : bytes) mix(std::to_integer<std::uint64_t>(byte));
    }
    fwu::DigestBytes finish() override {
      fwu::DigestBytes bytes{};
      std::memcpy(bytes.data(), &hash, sizeof hash);
      return bytes;
    }
  };
};

// A signature here is the type it is good for, then the CRC of what it signs.
class WeakSignatures final : public fwu::SignaturePort {
 public:
  static Buffer sign(const fwu::Guid& image_type, Bytes content) {
    Buffer signature(20);
    fwu::store_guid(signature.data(), image_type);
    const std::uint32_t crc = fwu::crc32(content);
    std::memcpy(&signature[16], &crc, sizeof crc);
    return signature;
  }

  Status verify(const fwu::Guid& image_type, Bytes pkcs7, ByteSource& content) override {
    Buffer all, piece(1000);
    for (;;) {
      const Result<std::size_t> read = content.read(piece);
      if (!read) return read.error();
      if (*read == 0) break;
      all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*read));
    }
    const Buffer expected = sign(image_type, all);
    const bool same = std::equal(pkcs7.begin(), pkcs7.end(), expected.begin(), expected.end());
    return same ? Status() : Status(fail(EKEYREJECTED, "the signature is of another key, or of other bytes"));
  }
};

struct Silent final : fwu::UpdateObserver {
  void step(const std::string& what) override { steps.push_back(what); }
  void progress(std::uint64_t done, std::uint64_t total) override { EXPECT_LE(done, total); }
  std::vector<std::string> steps;
};

struct FwuRig {
  static constexpr std::size_t kMetadataBytes = 1024, kImageBytes = 2048;

  explicit FwuRig(std::uint32_t version = 2, std::uint32_t banks = 2, std::uint32_t images = 2) {
    add_partition(fwu::kMetadataPartition, some_guid(0xee, 1), kMetadataBytes);
    add_partition(fwu::kMetadataPartition, some_guid(0xee, 2), kMetadataBytes);
    for (std::uint32_t bank = 0; bank < banks; ++bank) {
      for (std::uint32_t image = 0; image < images; ++image) {
        add_partition(image_type(image), bank_image(image, bank), kImageBytes);
        fill(partitions.back(), static_cast<char>((bank == 0 ? 'a' : 'p') + image));
      }
    }
    put(some_metadata(version, banks, images));
  }

  void add_partition(const fwu::Guid& type, const fwu::Guid& unique, std::size_t bytes) {
    const auto number = static_cast<std::uint32_t>(partitions.size() + 1);
    partitions.push_back({number, type, unique, medium.disk.size(), bytes});
    medium.disk.resize(medium.disk.size() + bytes);
  }

  void fill(const fwu::Partition& partition, char with) {
    std::memset(&medium.disk[partition.offset_bytes], with, partition.size_bytes);
  }

  // Both copies, by hand.
  void put(const fwu::Metadata& metadata) { put(0, metadata), put(1, metadata); }
  void put(std::size_t copy, const fwu::Metadata& metadata) {
    const Buffer bytes = metadata.store();
    std::copy(bytes.begin(), bytes.end(), copy_at(copy));
  }
  Buffer::iterator copy_at(std::size_t copy) {
    return medium.disk.begin() + static_cast<std::ptrdiff_t>(partitions[copy].offset_bytes);
  }
  void damage(std::size_t copy, std::size_t at) { copy_at(copy)[static_cast<std::ptrdiff_t>(at)] ^= std::byte{0x40}; }

  fwu::Metadata metadata() {
    SimStore store(medium);
    const auto read = fwu::MetadataCopies::find({store, partitions, store, {}})->load();
    EXPECT_TRUE(read) << read.error().text;
    return read ? *read : fwu::Metadata();
  }

  // "ab" where both images are whole; '?' for one that is not of one character.
  std::string bank(std::uint32_t bank) const {
    std::string text;
    for (const fwu::Partition& partition : partitions) {
      if (partition.unique.on_disk[0] != 0xb0 + bank) continue;
      const char first = static_cast<char>(medium.disk[partition.offset_bytes]);
      const auto from = medium.disk.begin() + static_cast<std::ptrdiff_t>(partition.offset_bytes);
      const bool whole = std::all_of(from, from + static_cast<std::ptrdiff_t>(partition.size_bytes),
                                     [&](std::byte byte) { return static_cast<char>(byte) == first; });
      text += whole ? first : '?';
    }
    return text;
  }

  std::optional<fwu::Variable> variable(const fwu::Guid& space, const std::string& name) const {
    const auto found = medium.variables.find({space, name});
    return found == medium.variables.end() ? std::nullopt : std::optional(found->second);
  }
  int trial_counter() const {
    const auto counter = variable(fwu::kGlobalVariable, fwu::kTrialCounterName);
    return counter ? fwu::read_trial_counter(*counter).value_or(-2) : -1;
  }

  // Capsules.
  struct Content {
    std::size_t image = 0;
    char with = 'x';
    std::uint32_t flags = 0;
    std::optional<fwu::PayloadVersion> payload = {};
    std::optional<std::uint64_t> signed_count = {};
    std::size_t bytes = kImageBytes;
  };
  static Buffer capsule(const Content& content) {
    const Buffer image(content.bytes, static_cast<std::byte>(content.with));
    fwu::ItemToWrite item;
    item.image_type = image_type(content.image);
    item.image_index = static_cast<std::uint8_t>(content.image + 1);
    item.payload = content.payload;
    item.image = image;
    if (content.signed_count) {
      const Buffer covered = fwu::signed_bytes(item, *content.signed_count);
      item.signature = {*content.signed_count, WeakSignatures::sign(item.image_type, covered)};
    }
    return *fwu::write_firmware_capsule({&item, 1}, fwu::kPersistAcrossReset | content.flags);
  }

  fwu::Device device(SimStore& store) const { return {store, partitions, store, geometry}; }

  // One run on the active bank, or on `boot_bank`, results recorded; the plan with its outcomes.
  fwu::Plan run(const std::map<std::string, Buffer>& capsules, std::optional<std::uint32_t> boot_bank = {}) {
    SimStore store(medium);
    return run(store, capsules, boot_bank);
  }
  fwu::Plan run(SimStore& store, const std::map<std::string, Buffer>& capsules,
                std::optional<std::uint32_t> boot_bank = {}) {
    const fwu::Device on = device(store);
    std::deque<fwu::MemoryRange> ranges;
    std::vector<fwu::CapsuleFile> files;
    for (const auto& [name, bytes] : capsules) files.push_back({name, &ranges.emplace_back(bytes), {}});
    const fwu::Planner planner{on, digests, trusts_keys ? &signatures : nullptr, policy};
    if (!boot_bank) boot_bank = fwu::MetadataCopies::find(on)->load()->active_index;
    Result<fwu::Plan> plan = planner.plan(files, *boot_bank);
    last_error = plan ? Status() : Status(plan.error());
    if (!plan) plan = fwu::refuse_all(files, plan.error());
    else last_error = fwu::Update(on, digests, observer).apply(*plan);
    if (Status recorded = fwu::record_results(store, plan->outcomes, 0); !recorded) last_error = recorded;
    return *plan;
  }

  Result<fwu::BootOutcome> boot(std::optional<std::uint32_t> bank = {}) {
    SimStore store(medium);
    return fwu::check_boot(device(store), bank ? *bank : metadata().active_index);
  }

  SimMedium medium;
  std::vector<fwu::Partition> partitions;
  std::optional<fwu::Geometry> geometry;
  WeakDigests digests;
  WeakSignatures signatures;
  bool trusts_keys = false;
  fwu::UpdatePolicy policy{.allow_unsigned = true};
  Silent observer;
  Status last_error;
};

// "0 22 125": the errno of each outcome, 0 where there is none.
inline std::string numbers(const fwu::Plan& plan) {
  std::string text;
  for (const fwu::CapsuleOutcome& outcome : plan.outcomes) {
    text += (text.empty() ? "" : " ") + std::to_string(outcome.status ? 0 : outcome.status.error().number());
  }
  return text;
}

}  // namespace vif::test
