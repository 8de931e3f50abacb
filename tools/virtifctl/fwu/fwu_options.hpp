// SPDX-License-Identifier: BSD-2-Clause
// What was said to `virtifctl fwu`, as plain values, and what all its commands share: exit statuses, words, the device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/fwu/cms.hpp"
#include "hypercall/fwu/file_store.hpp"
#include "hypercall/fwu/variable_store.hpp"
#include "services/fwu/plan.hpp"

namespace vif::tools {

class TraceRecorder;

inline constexpr int kFwuFailed = 1, kFwuUsage = 2, kFwuRefused = 3;

struct FwuOptions {
  bool is_device = false;          // the image has variables beside it
  std::string image;               // a disk image or a block device; of mk* commands the file to write
  std::vector<std::string> files;  // capsules, folders of them, blobs, image descriptions
  std::vector<std::string> from;   // URLs of capsules
  std::string via;                 // the link string by which they come
  std::string address, gateway;    // ours there; empty: by DHCP
  std::string variables;           // empty: IMAGE.var
  std::string geometry;            // of version 1: "BANKSxIMAGES"
  std::vector<std::string> trust;  // "TYPE=CERTIFICATE"
  bool allow_unsigned = false, allow_downgrade = false, dry_run = false, remove = false, json = false, loop = false;
  std::optional<std::uint32_t> bank;
  std::uint16_t trial_boots = 3;
  std::string reason, copy;
  std::string report;  // sim: the page to write; empty: none

  // mkmeta, mkcapsule
  std::uint32_t metadata_version = 2, active = 0, flags = 0, header_size = 28;
  std::optional<std::uint32_t> previous, fw_version, lowest_version;
  std::string image_type, certificate, key, vendor;
  std::uint32_t image_index = 1;
  std::uint64_t hardware_instance = 0;
  std::optional<std::uint64_t> monotonic_count;
  TraceRecorder* recorder = nullptr;  // null: nobody records
  fwu::FwuTrace* trace = nullptr;     // where the update tells of itself
  bool make_accept = false, make_revert = false, accept_later = false;
};

// Prints "virtifctl: text" and gives the status back.
int fwu_say(const std::string& text, int status);

// kFwuUsage where the words were wrong (EINVAL), else kFwuFailed: for what a network or a folder should bring.
int fwu_status(const Error& error);

// What is wrong with the words themselves, whatever is on the medium. EINVAL: the sentence says what was expected.
Status fwu_check_words(const FwuOptions& options);
// Of capsules that are not applied: kFwuRefused, or kFwuFailed where one of the files could not be opened.
int fwu_refusal(const std::vector<fwu::CapsuleFile>& files);

// The medium with its variables, opened. Exclusively for writing.
struct FwuDevice {
  // Errors: the host's, EINVAL it has no GPT.
  static Result<std::unique_ptr<FwuDevice>> open(const FwuOptions& options, host::Access access);

  std::unique_ptr<host::FileStore> store;
  std::unique_ptr<host::VariableStore> variables;
  std::vector<fwu::Partition> partitions;
  std::optional<fwu::Geometry> geometry;
  fwu::FwuTrace* trace = nullptr;

  fwu::Device device() { return {*store, partitions, *variables, geometry, trace}; }
};

// The metadata that counts.
Result<fwu::Metadata> fwu_metadata(const fwu::Device& device);
// What is said of a bank that the metadata does not have; empty: --bank names none, or one that is there.
std::string fwu_no_such_bank(const FwuOptions& options, const fwu::Metadata& metadata);

Result<std::optional<fwu::Geometry>> fwu_geometry(const FwuOptions& options);
// Wall-clock seconds, for certificates.
Result<std::unique_ptr<host::CmsSignatures>> fwu_trust(const FwuOptions& options);

// The commands.
int fwu_show(const FwuOptions& options);
int fwu_dump(const FwuOptions& options);
int fwu_verify(const FwuOptions& options);
int fwu_apply(const FwuOptions& options);
int fwu_accept(const FwuOptions& options);
int fwu_revert(const FwuOptions& options);
int fwu_boot(const FwuOptions& options);
int fwu_repair(const FwuOptions& options);
int fwu_unmark(const FwuOptions& options);
int fwu_mkmeta(const FwuOptions& options);
int fwu_mkcapsule(const FwuOptions& options);
int fwu_sim(const FwuOptions& options);

}  // namespace vif::tools
