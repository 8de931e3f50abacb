// SPDX-License-Identifier: BSD-2-Clause
// What programs hand to the ioctls of user_events_data in Linux 6.4 and later, by offset: the packed structs of
// include/uapi/linux/user_events.h on a 64-bit host. Each begins with its u32 size.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vif::trace {

inline constexpr std::uint64_t kDiagIocsReg = 0xC0082A00;    // DIAG_IOCSREG, struct user_reg *
inline constexpr std::uint64_t kDiagIocsDel = 0x40082A01;    // DIAG_IOCSDEL, char *
inline constexpr std::uint64_t kDiagIocsUnreg = 0x40082A02;  // DIAG_IOCSUNREG, struct user_unreg *

inline constexpr std::uint16_t kRegPersist = 1;      // USER_EVENT_REG_PERSIST
inline constexpr std::uint16_t kRegMultiFormat = 2;  // USER_EVENT_REG_MULTI_FORMAT

// struct user_reg.
namespace user_reg {
inline constexpr std::size_t kEnableBit = 4, kEnableSize = 5, kFlags = 6, kEnableAddr = 8, kNameArgs = 16,
                             kWriteIndex = 24, kBytes = 28;
}

// struct user_unreg.
namespace user_unreg {
inline constexpr std::size_t kDisableBit = 4, kReserved = 5, kReserved2 = 6, kDisableAddr = 8, kBytes = 16;
}

}  // namespace vif::trace
