// SPDX-License-Identifier: BSD-2-Clause
// Carries a plan out, in an order that a power cut cannot break:
//
//   0. variables: room for those of step 3, the trial counter
//   1. metadata: the bank is marked as unfinished (both copies, each flushed)
//   2. images are written, flushed, read back and compared with what was verified
//   3. variables: what the bank holds, which capsules it came from
//   4. metadata: the bank is complete and boots next. This one write is the update
//   5. variables: floors where the bank is accepted at once; a result for each capsule
//
// Cut off anywhere, the active bank is the old one or the new one as a whole, and the same capsules bring it to the
// end. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "services/fwu/plan.hpp"

namespace vif::fwu {

// Told what is done; for people and progress bars.
class UpdateObserver {
 public:
  virtual ~UpdateObserver() = default;
  virtual void step(const std::string& what) = 0;
  virtual void progress(std::uint64_t bytes_done, std::uint64_t bytes_total) = 0;
};

class Update {
 public:
  Update(const Device& device, DigestPort& digests, UpdateObserver& observer)
      : device_(device), digests_(digests), observer_(observer) {}

  // Does nothing if the plan failed. After an error the outcomes of the plan say which capsule it hit; the active bank
  // is what it was. Uses 1 MiB of memory, whatever the size of the images.
  VIF_API Status apply(Plan& plan);

 private:
  Status install(Plan& plan);
  Status finish();
  Status write_images(Plan& plan);
  Status write_image(PlannedImage& image);
  Status copy_bytes(PlannedImage& image, ByteRange& from);
  Result<DigestBytes> digest_of_target(const PlannedImage& image);
  Status make_room(const Plan& plan);
  Status record_bank(const Plan& plan);
  Status answer(const Plan& plan);
  void tell(const Plan& plan, const Metadata& after) const;

  const Device& device_;
  DigestPort& digests_;
  UpdateObserver& observer_;
  std::vector<std::byte> piece_;
  std::uint64_t bytes_done_ = 0, bytes_total_ = 0;
};

// Step 5 for the capsules of a run, whatever became of them: CapsuleXXXX and CapsuleLast. `index_max`: after it comes
// 0; the default keeps the file of variables small.
VIF_API Status record_results(VariablePort& variables, std::span<const CapsuleOutcome> outcomes, std::int64_t wall_ns,
                              std::uint16_t index_max = 0xff);

}  // namespace vif::fwu
