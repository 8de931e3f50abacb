// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/kernel_abi.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace vif::trace {
namespace {

constexpr std::uint16_t kRegFlags = kRegPersist | kRegMultiFormat;
constexpr std::uint64_t kKernelHalf = std::uint64_t{1} << 63;

// struct user_reg of Linux 6.1 to 6.3, packed, by offset.
namespace bits {
constexpr std::size_t kNameArgs = 4, kStatusBit = 12, kWriteIndex = 16, kBytes = 20;
}
template <class T>
T field(Bytes from, std::size_t offset) {
  return load<T, std::endian::native>(&from[offset]);
}

// Skips the index, then copies.
class CallerPayload final : public Payload {
 public:
  CallerPayload(const CallerMemory& memory, std::span<const CallerSlice> slices, std::size_t skip)
      : memory_(memory), slices_(slices), skip_(skip) {
    for (const CallerSlice& slice : slices_) bytes_ += slice.bytes;
  }

  std::size_t bytes() const override { return bytes_ - std::min(bytes_, skip_); }
  bool copy_to(MutBytes to) const override {
    std::size_t skip = skip_;
    for (const CallerSlice& slice : slices_) {
      const std::size_t skipped = std::min(skip, slice.bytes), taken = std::min(slice.bytes - skipped, to.size());
      skip -= skipped;
      if (taken != 0 && !memory_.read(slice.address + skipped, to.first(taken))) return false;
      to = to.subspan(taken);
    }
    return true;
  }

 private:
  const CallerMemory& memory_;
  std::span<const CallerSlice> slices_;
  std::size_t skip_, bytes_ = 0;
};

}  // namespace

int KernelAbi::ioctl(std::uint64_t request, std::uint64_t argument) {
  if (request == kDiagIocsReg) return era_ == Era::bits ? register_bits(argument) : register_address(argument);
  if (request == kDiagIocsDel) return remove(argument);
  if (request == kDiagIocsUnreg && era_ == Era::address) return unregister(argument);
  return ENOTTY;
}

// As copy_struct_from_user: a caller's larger struct is good when it asks for nothing we do not know.
int KernelAbi::read_struct(std::uint64_t address, MutBytes into) const {
  std::array<std::byte, 4> size_bytes;
  if (!memory_.read(address, size_bytes)) return EFAULT;
  const auto size = field<std::uint32_t>(size_bytes, 0);
  if (size > kPageBytes) return E2BIG;
  if (size < into.size()) return EINVAL;
  std::array<std::byte, kPageBytes> page;
  const MutBytes all = std::span(page).first(size);
  if (!memory_.read(address, all)) return EFAULT;
  const auto beyond = all.subspan(into.size());
  if (std::any_of(beyond.begin(), beyond.end(), [](std::byte b) { return b != std::byte{0}; })) return E2BIG;
  std::copy_n(all.begin(), into.size(), into.begin());
  return 0;
}

Result<std::string> KernelAbi::read_text(std::uint64_t address) const {
  constexpr std::size_t kStep = 64;  // a step never crosses into the next page, which may not be there
  std::string text;
  while (text.size() <= kCommandCharsMax) {
    std::array<std::byte, kStep> step;
    const std::size_t bytes = kStep - (address + text.size()) % kStep;
    const MutBytes part = std::span(step).first(bytes);
    if (!memory_.read(address + text.size(), part)) return fail(EFAULT, "the text cannot be read");
    const auto end = std::find(part.begin(), part.end(), std::byte{0});
    for (auto at = part.begin(); at != end; ++at) text += static_cast<char>(*at);
    if (end != part.end() && text.size() <= kCommandCharsMax) return text;
  }
  return fail(EINVAL, "the text has at most 511 characters");
}

int KernelAbi::register_bits(std::uint64_t argument) {
  std::array<std::byte, bits::kBytes> reg;
  if (const int error = read_struct(argument, reg); error != 0) return error;
  Result<std::string> command = read_text(field<std::uint64_t>(reg, bits::kNameArgs));
  if (!command) return command.error().number();
  Result<DataFile::Registration> done = file_.add(*command, {});
  if (!done) return done.error().number();
  (void)memory_.write(argument + bits::kWriteIndex, std::as_bytes(std::span(&done->write_index, 1)));
  (void)memory_.write(argument + bits::kStatusBit, std::as_bytes(std::span(&done->status_bit, 1)));
  return 0;
}

int KernelAbi::register_address(std::uint64_t argument) {
  std::array<std::byte, user_reg::kBytes> reg;
  if (const int error = read_struct(argument, reg); error != 0) return error;
  const auto size = field<std::uint8_t>(reg, user_reg::kEnableSize);
  const auto flags = field<std::uint16_t>(reg, user_reg::kFlags);
  const EnableBit where{&memory_, field<std::uint64_t>(reg, user_reg::kEnableAddr),
                        field<std::uint8_t>(reg, user_reg::kEnableBit)};
  if ((flags & ~kRegFlags) != 0 || (size != 4 && size != 8)) return EINVAL;
  if (where.address % size != 0 || where.bit >= 8 * size) return EINVAL;
  if (where.address >= kKernelHalf) return EFAULT;
  if (tracing_.enablers().has(where)) return EADDRINUSE;
  Result<std::string> command = read_text(field<std::uint64_t>(reg, user_reg::kNameArgs));
  if (!command) return command.error().number();
  if ((flags & kRegPersist) != 0 && privilege_ == Privilege::none) {
    const bool has_flags = command->substr(0, command->find(' ')).find(':') != std::string::npos;
    return has_flags ? EINVAL : EPERM;  // which the kernel looks at first
  }
  const Registering how{Era::address, (flags & kRegPersist) != 0 ? Lifetime::until_removed : Lifetime::until_last_use,
                        (flags & kRegMultiFormat) != 0 ? Formats::multi : Formats::single};
  Result<DataFile::Registration> done = file_.add(*command, how);
  if (!done) return done.error().number();
  if (Status added = tracing_.enablers().add(where, size, done->event); !added) return added.error().number();
  (void)memory_.write(argument + user_reg::kWriteIndex, std::as_bytes(std::span(&done->write_index, 1)));
  return 0;
}

int KernelAbi::remove(std::uint64_t name) {
  Result<std::string> text = read_text(name);
  if (!text) return text.error().number();
  bool is_used = false, persists = false;
  for (const UserEvent* event : file_.group().events()) {
    if (event->format.name != *text) continue;  // in all its formats
    is_used |= event->uses.get() != 0;
    persists |= event->lifetime == Lifetime::until_removed;
  }
  if (era_ == Era::address && persists && !is_used && privilege_ == Privilege::none) return EPERM;
  Status removed = file_.remove(*text);
  return removed ? 0 : removed.error().number();
}

int KernelAbi::unregister(std::uint64_t argument) {
  std::array<std::byte, user_unreg::kBytes> reg;
  if (const int error = read_struct(argument, reg); error != 0) return error;
  if (field<std::uint8_t>(reg, user_unreg::kReserved) != 0 || field<std::uint16_t>(reg, user_unreg::kReserved2) != 0)
    return EINVAL;
  Status removed = tracing_.enablers().remove({&memory_, field<std::uint64_t>(reg, user_unreg::kDisableAddr),
                                               field<std::uint8_t>(reg, user_unreg::kDisableBit)});
  return removed ? 0 : removed.error().number();
}

KernelAbi::Written KernelAbi::write(Writer& writer, const CallerSlice& slice, std::int64_t position) const {
  if (position != 0) return {0, EFAULT};
  return writev(writer, std::span(&slice, 1));
}

KernelAbi::Written KernelAbi::writev(Writer& writer, std::span<const CallerSlice> slices) const {
  const CallerPayload whole(memory_, slices, 0);
  std::array<std::byte, 4> index;
  if (whole.bytes() < index.size() || !whole.copy_to(index)) return {0, EFAULT};
  const int error = file_.write(writer, static_cast<std::int32_t>(field<std::uint32_t>(index, 0)),
                                CallerPayload(memory_, slices, index.size()));
  return {error == 0 ? whole.bytes() : 0, error};
}

}  // namespace vif::trace
