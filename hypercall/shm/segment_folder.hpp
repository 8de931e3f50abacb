// SPDX-License-Identifier: BSD-2-Clause
// Where the processes of a segment find each other: a folder /dev/shm/virtif.NAME. In it a small file says where the
// memory is, and its locks say who is there: one byte for each place, and one for the gate, which whoever comes or goes
// holds while it does. The kernel drops a lock when its holder dies, however it dies. Beside it the sockets that wake
// sleepers, by the number of their place.
//
// Nothing here is mapped, so whatever is done to these files can at worst refuse. One thread at a time.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::host::shm {

// What a segment is asked for by.
struct SegmentName {
  static constexpr std::size_t kBytesMax = 64;  // so that a socket's path fits into its address

  std::string name;    // letters, digits, '.', '_', '-'
  mode_t mode = 0600;  // or 0660: the group may attach, too
};

// Where the memory is; the file's contents.
struct MemoryRecord {
  static constexpr std::uint64_t kMagic = 0x6b'68'73'66'69'74'72'76;  // "vrtifshk"

  std::uint64_t magic = kMagic;
  std::uint64_t key = 0;  // of shmget(2)
  std::array<std::uint64_t, 2> token{};
};

class SegmentFolder {
 public:
  // Makes what is not there, and passes the gate, which is held until open_gate(). Errors: EPERM the folder belongs to
  // a stranger; EBUSY the gate was held for a second; the host's (EACCES, ENOSPC, EROFS ...).
  static Result<SegmentFolder> enter(const SegmentName& name);
  // Only to look. ENOENT: no such segment; EACCES.
  static Result<SegmentFolder> look(const SegmentName& name);

  // nullopt: nothing, or nothing that makes sense.
  std::optional<MemoryRecord> read_record() const;
  Status write_record(const MemoryRecord& record);

  // A place that nobody has, from now on ours. EUSERS: there is none.
  Result<std::size_t> take_place();
  bool is_taken(std::size_t place) const;  // by somebody else
  bool is_empty() const;                   // but for ourselves

  // The socket of our place; what a predecessor left there goes.
  Result<UniqueFd> bind_socket(std::size_t place);
  sockaddr_un socket_address(std::size_t place) const;

  // Lets in whom `mode` says, whatever umask(2) or an earlier segment said; for whoever is alone, and owns the folder.
  void set_mode(mode_t mode);

  Status close_gate();
  void open_gate();
  // Takes away our socket, and the folder when we are alone. With the gate closed.
  void leave(std::size_t place);
  void remove();

 private:
  SegmentFolder(std::string path, UniqueFd folder, UniqueFd file)
      : path_(std::move(path)), folder_(std::move(folder)), file_(std::move(file)) {}

  static Result<UniqueFd> open_folder(const std::string& path, const SegmentName& name);

  std::string path_;
  UniqueFd folder_, file_;
};

}  // namespace vif::host::shm
