// SPDX-License-Identifier: BSD-2-Clause
// What U-Boot was seen to do, boot by boot, in 29 scenarios (v2023.01 and a snapshot of 2026-08), done again here: the
// metadata, the banks and the variables must be the same, except in the fields listed with their defect.
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "hypercall/fwu/file_store.hpp"
#include "tests/services/fwu/fwu_rig.hpp"
#include "tests/services/fwu/shared_vectors.hpp"

namespace vif::test {
namespace {

using namespace fwu;

// One block of a table: "P" and "S" are copies, "banks" the images' first bytes, the rest variables.
using Block = std::map<std::string, std::string>;

// Table lines of one scenario, a block for each boot that was looked at.
std::vector<Block> blocks_of(const std::filesystem::path& table, int scenario) {
  std::ifstream file(table);
  std::vector<Block> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("===")) inside = line == "=== " + std::to_string(scenario);
    if (!inside || line.size() < 4 || line[0] != ' ') continue;
    if (line.starts_with("  P:")) blocks.emplace_back();
    const std::string text = line.substr(2);
    if (text.starts_with("P:") || text.starts_with("S:")) blocks.back()[text.substr(0, 1)] = text.substr(3);
    if (text.starts_with("banks:")) blocks.back()["banks"] = text.substr(7);
    if (!text.starts_with("var ")) continue;
    const std::size_t end = text.find_first_of(":=", 4);
    blocks.back()[text.substr(4, end - 4)] = text.substr(end + 1);
  }
  return blocks;
}

struct Boot {
  std::map<std::string, std::string> capsules;  // by name: the file of inputs/
  std::optional<std::uint32_t> bank = {};
};

struct Scenario {
  int number;
  std::vector<Boot> boots;
  std::string differs = {};      // fields that are not compared, and
  const char* reason = nullptr;  // why: a defect of the list
  void (*before)(FwuRig&) = nullptr;
};

const Boot kTrial{{{"A", "c1A.os.cap"}, {"B", "c2A.os.cap"}}};

void set_bytes(FwuRig& rig, std::size_t copy, std::ptrdiff_t at, int value) {
  rig.copy_at(copy)[at] = rig.copy_at(copy)[at + 1] = static_cast<std::byte>(value);
}

const std::vector<Scenario> kScenarios = {
    {1, {kTrial, {}, {}, {}, {}, {}}, "bs", "15: the bank that failed is invalid in version 2"},
    {2, {kTrial, {{{"A", "acc1.cap"}}}, {{{"A", "acc2.cap"}}}, {}}},
    {3, {kTrial, {{{"A", "c1B.cap"}}}}},
    {4, {kTrial, {{{"A", "rev.cap"}}}, {}}, "bs", "15"},
    {5, {{{{"A", "acc1.cap"}, {"B", "rev.cap"}}}}, "seed Capsule0000", "29: v2023.01 answers 3"},
    {6, {{{{"A", "c1A.cap"}, {"B", "badguid.cap"}}}}, "banks Capsule0000 FmpState0001", "6"},
    {7, {{{{"A", "c1A.os.cap"}, {"B", "c2A.cap"}}}}, "acc", "10"},
    {8, {{{{"A", "c1A.cap"}}}}, "banks FmpState0002", "11"},
    {9, {kTrial, {{{"A", "accbad.cap"}}}}, "Capsule0002", "25: not found instead of out of resources"},
    {10, {{{{"A", "c1A.cap"}, {"B", "rev.cap"}}}}, "banks Capsule0000 FmpState0001", "5"},
    {11, {kTrial, {{{"A", "acc_trunc.cap"}}}}, "Capsule0002 CapsuleLast", "25: unreadable capsules have results"},
    {12, {kTrial, {{{"A", "acc_short.cap"}}}}, "Capsule0002", "4: no type is read beyond the end"},
    {13, {{}}, {}, nullptr, [](FwuRig& rig) { set_bytes(rig, 0, 20, 0xff); }},
    {14, {{}}, {}, nullptr, [](FwuRig& rig) { set_bytes(rig, 1, 60, 0xff); }},
    {15,
     {{{{"A", "c1A.cap"}}}},
     "snapshot",
     "1: two bad copies",
     [](FwuRig& rig) { set_bytes(rig, 1, 60, 0xff), set_bytes(rig, 0, 60, 0xee); }},
    {16,
     {{}},
     {},
     nullptr,
     [](FwuRig& rig) {
       Metadata other = rig.metadata();
       std::swap(other.active_index, other.previous_active_index);
       rig.put(1, other);
     }},
    {17, {{{}, 1}}},
    {18, {{{{"A", "c1A.cap"}}, 7}}},
    {19,
     {{{{"A", "c1A.cap"}}}},
     "TrialStateCtr",
     "8",
     [](FwuRig& rig) {
       Metadata metadata = rig.metadata();
       metadata.images[0].banks[0].accept(false);
       if (metadata.version == 2) metadata.bank_state_bytes[0] = 0xfe;
       rig.put(metadata);
     }},
    {20, {{{{"A", "t500.cap"}, {"B", "t10.cap"}}}}, "Capsule0000 Capsule0001 CapsuleLast", "25"},
    {21, {{{{"b", "c1A.cap"}, {"A", "c1B.cap"}, {"C", "c2A.cap"}}}}, "banks", "19"},
    {22, {{{{"A", "wi.cap"}}}}},
    {24, {{{{"A", "v7.cap"}, {"B", "v9.cap"}}}}},
    {25, {{{{"A", "badguid.cap"}, {"B", "c2A.cap"}}}}, "banks Capsule0001 FmpState0002", "6"},
    {26, {kTrial, {{{"A", "acc1.cap"}, {"B", "rev.cap"}}}}, "act acc Capsule0002 Capsule0003", "14"},
    {27, {kTrial, {{{"A", "rev.cap"}, {"B", "rev.cap"}}}}, "act bs Capsule0003", "14"},
    {28,
     {kTrial, {}, {}, {}, {{{"A", "acc1.cap"}, {"B", "acc2.cap"}}}, {}},
     "bs seed Capsule0002 Capsule0003",
     "15; v2023.01 accepts the wrong bank"},
    {29, {kTrial, {{}, 0}}, "seed TrialStateCtr", "7: v2023.01 returns before it looks at the counter"},
};

class FwuTables : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto folder = shared_fwu_vectors(VIF_SOURCE_ROOT) / "reference";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no tables at " << folder << ": set VIRTIF_SHARED";
    version_ = std::string(GetParam()).ends_with("v2") ? 2 : 1;
    table_ = folder / (std::string(GetParam()) + ".txt");
    inputs_ = folder / "inputs";
    const auto name = std::filesystem::temp_directory_path() / ("vif-fwu-table-" + std::to_string(version_));
    const std::string unpack = "xz -dc " + (inputs_ / ("initial-v" + std::to_string(version_) + ".img.xz")).string();
    ASSERT_EQ(std::system((unpack + " > " + name.string()).c_str()), 0) << "xz could not unpack it";
    initial_.medium.disk = file_bytes(name);
    auto store = host::FileStore::open(name.string(), host::Access::read);
    ASSERT_TRUE(store) << store.error().text;
    const auto partitions = (*store)->partitions();
    ASSERT_TRUE(partitions) << partitions.error().text;
    initial_.partitions = *partitions;
    std::filesystem::remove(name);
  }

  void boot(FwuRig& rig, const Boot& boot) {
    SimStore store(rig.medium);
    const Device device = rig.device(store);
    const auto copies = MetadataCopies::find(device);
    const auto metadata = copies->load();
    const std::uint32_t bank = boot.bank.value_or(metadata ? metadata->active_index : 0);
    const auto booted = check_boot(device, bank);
    std::map<std::string, Buffer> capsules;
    for (const auto& [name, file] : boot.capsules) capsules[name] = file_bytes(inputs_ / file);
    if (booted) rig.run(capsules, bank);
    if (booted || capsules.empty()) return;
    std::vector<CapsuleFile> files;
    std::deque<MemoryRange> ranges;
    for (const auto& [name, bytes] : capsules) files.push_back({name, &ranges.emplace_back(bytes), {}});
    ASSERT_TRUE(record_results(store, refuse_all(files, booted.error()).outcomes, 0));
  }

  int version_ = 1;
  std::filesystem::path table_, inputs_;
  FwuRig initial_;
};
INSTANTIATE_TEST_SUITE_P(Loaders, FwuTables, testing::Values("seed-era-v1", "snapshot-v1", "snapshot-v2"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string copy_text(const Result<Metadata>& copy) {
  if (!copy) return "crc=BAD";
  std::ostringstream text;
  text << "v" << copy->version << " crc=ok act=" << copy->active_index << " prev=" << copy->previous_active_index
       << " bs=";
  text << (copy->version == 1 ? "-" : hex(std::as_bytes(std::span(copy->bank_state_bytes))))
       << " acc(img1,img2 x bank0,1)=[";
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& banks = copy->images[i].banks;
    text << (i ? ", [" : "[") << banks[0].accepted << ", " << banks[1].accepted << "]";
  }
  text << "]";
  return text.str();
}

std::string banks_text(const FwuRig& rig) {
  std::string text;
  for (std::size_t at = 3; at < 7; ++at) {
    const char* from = reinterpret_cast<const char*>(&rig.medium.disk[rig.partitions[at].offset_bytes]);
    text += (at == 3 ? "" : " ") + std::string("img") + (at % 2 ? "1" : "2") + "/b" + (at < 5 ? "0" : "1") + "=b'" +
            std::string(from, 8) + "'";
  }
  return text;
}

std::string variable_text(const Variable& variable) {
  char attributes[24];
  std::snprintf(attributes, sizeof attributes, " attr=0x%x", variable.attributes);
  if (variable.name == "CapsuleLast") {
    return capsule_result_name(*read_capsule_last(variable)) + attributes + " len=22";
  }
  if (!variable.name.starts_with("Capsule")) return hex(variable.bytes) + attributes;
  char status[32];
  std::snprintf(status, sizeof status, "0x%llx", static_cast<unsigned long long>(load_le64(&variable.bytes[40])));
  return " total=48 guid=" + to_string(load_guid(&variable.bytes[8])) + " status=" + status + " len=48" + attributes;
}

Block block_of(FwuRig& rig) {
  SimStore store(rig.medium);
  const MetadataCopies copies = *MetadataCopies::find(rig.device(store));
  Block block = {{"P", copy_text(copies.read(MetadataCopies::Place::primary))},
                 {"S", copy_text(copies.read(MetadataCopies::Place::secondary))},
                 {"banks", banks_text(rig)}};
  for (const auto& [key, variable] : rig.medium.variables) {
    if (!key.second.starts_with("Fwu")) block[key.second] = variable_text(variable);
  }
  return block;
}

// Leaves out of a copy's line what differs, and all of one whose CRC is bad but for that.
std::string without(std::string line, const std::string& differs) {
  if (line.find("crc=BAD") != std::string::npos) return "crc=BAD";
  for (const auto& [field, word] : {std::pair("act", "act="), {"act", "prev="}, {"bs", "bs="}}) {
    const std::size_t at = line.find(word);
    if (differs.find(field) != std::string::npos) line.erase(at, line.find(' ', at) - at);
  }
  if (differs.find("acc") != std::string::npos) line.erase(line.find("acc("));
  return line;
}

TEST_P(FwuTables, are_done_again) {
  const bool is_seed = std::string(GetParam()).starts_with("seed");
  int compared = 0;
  for (const Scenario& scenario : kScenarios) {
    SCOPED_TRACE("scenario " + std::to_string(scenario.number) +
                 (scenario.reason ? std::string(", ") + scenario.reason : ""));
    std::vector<Block> expected = blocks_of(table_, scenario.number);
    if (scenario.number == 22 && !expected.empty()) expected.resize(1);
    if (expected.empty() || (!is_seed && scenario.differs == "snapshot")) continue;
    FwuRig rig = initial_;
    if (scenario.before) scenario.before(rig);
    std::vector<Block> seen;
    for (const Boot& each : scenario.boots) boot(rig, each), seen.push_back(block_of(rig));
    std::string differs = scenario.differs;
    if (const std::size_t at = differs.find("seed "); at != std::string::npos) {
      is_seed ? differs.erase(at, 5) : differs.erase(at);
    }
    for (std::size_t back = 1; back <= std::min(seen.size(), expected.size()); ++back) {
      Block is = seen[seen.size() - back], was = expected[expected.size() - back];
      for (const char* copy : {"P", "S"})
        is[copy] = without(is[copy], differs), was[copy] = without(was[copy], differs);
      // U-Boot keeps versions since 2023; until then there was no such variable.
      const auto ignored = [&](const auto& entry) {
        const bool too_young = entry.first.starts_with("FmpState") && !was.contains(entry.first);
        return too_young || (entry.first.size() > 1 && differs.find(entry.first) != std::string::npos);
      };
      std::erase_if(is, ignored), std::erase_if(was, ignored);
      for (const auto& [name, text] : was) is.try_emplace(name, "not there");
      for (const auto& [name, text] : is)
        EXPECT_EQ(text, was.contains(name) ? was[name] : "not there") << name << ", boot -" << back;
      ++compared;
    }
  }
  std::printf("%d boots of %s are the same\n", compared, GetParam());
  EXPECT_GT(compared, 20);
}

}  // namespace
}  // namespace vif::test
