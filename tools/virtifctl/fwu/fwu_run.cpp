// SPDX-License-Identifier: BSD-2-Clause
// verify, apply, accept and revert: runs of capsules.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "hypercall/linux_ports.hpp"
#include "services/fwu/capsule_writer.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/update.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {
namespace {

using Json = nlohmann::json;

// Steps on standard error, and while bytes move a line that says how fast and how long still.
class Narrator final : public fwu::UpdateObserver {
 public:
  explicit Narrator(bool silent) : silent_(silent), shows_progress_(!silent && ::isatty(STDERR_FILENO) == 1) {}

  void step(const std::string& what) override {
    if (!silent_) fmt::print(stderr, "{}{}\n", shows_progress_ ? "\r\033[K" : "", what);
  }

  void progress(std::uint64_t done, std::uint64_t total) override {
    if (!shows_progress_) return;
    const std::chrono::duration<double> spent = host::LinuxClock().now() - begin_;
    const double rate = static_cast<double>(done) / std::max(spent.count(), 1e-3);
    constexpr double kMiB = 1024.0 * 1024.0;
    fmt::print(stderr, "\r{:3}% {:.0f} MiB/s, {:.0f} s left\033[K", done * 100 / total, rate / kMiB,
               static_cast<double>(total - done) / rate);
  }

 private:
  bool silent_, shows_progress_;
  Time begin_ = host::LinuxClock().now();
};

// The capsules that were named, folders replaced by the files in them.
struct OpenedCapsules {
  explicit OpenedCapsules(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      std::error_code ignored;
      if (!std::filesystem::is_directory(name, ignored)) {
        add(name);
        continue;
      }
      for (const auto& entry : std::filesystem::directory_iterator(name, ignored)) {
        if (!entry.is_directory(ignored)) add(entry.path().string());
      }
    }
  }

  // They count by the last part of their names.
  void add(const std::string& path) {
    Result<std::unique_ptr<host::FileStore>> opened = host::FileStore::open(path, host::Access::read);
    const std::string name = std::filesystem::path(path).filename().string();
    if (opened) files.push_back({name, stores.emplace_back(*std::move(opened)).get(), {}});
    else files.push_back({name, nullptr, opened.error()});
    paths.emplace_back(name, path);
  }

  std::deque<std::unique_ptr<host::FileStore>> stores;
  std::vector<fwu::CapsuleFile> files;
  std::vector<std::pair<std::string, std::string>> paths;
};

int print(const fwu::Plan& plan, const std::vector<std::string>& steps, const Status& done, bool json) {
  Json capsules = Json::array();
  for (const fwu::CapsuleOutcome& outcome : plan.outcomes) {
    const auto status = static_cast<std::uint64_t>(fwu::efi_status(outcome.status));
    capsules.push_back({{"name", outcome.name},
                        {"status", fmt::format("0x{:x}", status)},
                        {"error", outcome.status ? Json() : Json(outcome.status.error().text)}});
  }
  if (json) {
    const Json all = {{"capsules", capsules}, {"steps", steps}, {"error", done ? Json() : Json(done.error().text)}};
    fmt::print("{}\n", all.dump(2));
  } else {
    for (const fwu::CapsuleOutcome& outcome : plan.outcomes) {
      fmt::print("{}: {}\n", outcome.name, outcome.status ? "good" : "refused: " + outcome.status.error().text);
    }
    for (const std::string& step : steps) fmt::print("  {}\n", step);
  }
  if (!done) return json ? kFwuFailed : fwu_say(done.error().text, kFwuFailed);
  return plan.failed() ? kFwuRefused : 0;
}

enum class Mode : std::uint8_t { plan_only, carry_out };

int run_capsules(const FwuOptions& options, std::vector<fwu::CapsuleFile> files, Mode mode, fwu::Plan& plan) {
  const bool writes = mode == Mode::carry_out;
  auto opened = FwuDevice::open(options, writes ? host::Access::write : host::Access::read);
  if (!opened) return fwu_say(opened.error().text, opened.error().number() == EINVAL ? kFwuUsage : kFwuFailed);
  const fwu::Device device = (*opened)->device();
  auto signatures = fwu_trust(options);
  if (!signatures) return fwu_say(signatures.error().text, kFwuUsage);
  const auto copies = fwu::MetadataCopies::find(device);
  if (!copies) return fwu_say(copies.error().text, kFwuFailed);
  const auto metadata = copies->load();
  if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);

  host::Sha256Digests digests;
  const fwu::Planner planner{device,
                             digests,
                             (*signatures)->trusts_any() ? signatures->get() : nullptr,
                             {options.allow_unsigned, options.allow_downgrade, options.hardware_instance}};
  Result<fwu::Plan> planned = planner.plan(std::move(files), options.bank.value_or(metadata->active_index));
  if (!planned) return fwu_say(planned.error().text, kFwuFailed);
  plan = *std::move(planned);
  if (!writes) return print(plan, plan.explain(), {}, options.json);
  Narrator narrator(options.json);
  Status done = fwu::Update(device, digests, narrator).apply(plan);
  const Status recorded = fwu::record_results(*(*opened)->variables, plan.outcomes, host::LinuxClock().wall_ns());
  if (done && !recorded) done = recorded;
  return print(plan, {}, done, options.json);
}

}  // namespace

int fwu_verify(const FwuOptions& options) {
  OpenedCapsules capsules(options.files);
  fwu::Plan plan;
  return run_capsules(options, capsules.files, Mode::plan_only, plan);
}

int fwu_apply(const FwuOptions& options) {
  if (options.dry_run) return fwu_verify(options);
  OpenedCapsules capsules(options.files);
  fwu::Plan plan;
  const int status = run_capsules(options, capsules.files, Mode::carry_out, plan);
  if (status != 0 || !options.remove) return status;
  for (const auto& [name, path] : capsules.paths) {
    std::error_code error;
    if (!std::filesystem::remove(path, error)) return fwu_say(path + ": " + error.message(), kFwuFailed);
  }
  return 0;
}

int fwu_accept(const FwuOptions& options) {
  std::vector<std::string> types = options.files;
  if (types.empty()) {
    auto opened = FwuDevice::open(options, host::Access::read);
    if (!opened) return fwu_say(opened.error().text, kFwuFailed);
    const auto copies = fwu::MetadataCopies::find((*opened)->device());
    const auto metadata = copies ? copies->load() : Result<fwu::Metadata>(copies.error());
    if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);
    for (const fwu::ImageEntry& entry : metadata->images) types.push_back(fwu::to_string(entry.image_type));
  }
  std::deque<std::vector<std::byte>> bytes;
  std::deque<fwu::MemoryRange> ranges;
  std::vector<fwu::CapsuleFile> files;
  for (const std::string& type : types) {
    const auto guid = fwu::parse_guid(type);
    if (!guid) return fwu_say(type + ": a GUID was expected", kFwuUsage);
    bytes.push_back(fwu::write_accept_capsule(*guid));
    files.push_back({"accept " + type, &ranges.emplace_back(bytes.back()), {}});
  }
  fwu::Plan plan;
  return run_capsules(options, files, Mode::carry_out, plan);
}

int fwu_revert(const FwuOptions& options) {
  const std::vector<std::byte> bytes = fwu::write_revert_capsule();
  fwu::MemoryRange range(bytes);
  fwu::Plan plan;
  return run_capsules(options, {{"revert", &range, {}}}, Mode::carry_out, plan);
}

}  // namespace vif::tools
