// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/extension.hpp"

namespace vif::cn {
namespace {

enum Type : std::uint16_t { kSequence = 1, kUserCode = 2, kComm = 3, kTgid = 16, kTree = 17, kExtended = 18 };

constexpr std::size_t kPieceHeaderBytes = 4;
constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

// Calls visit(type, value) for each whole piece, until one says no.
template <class Visit>
void for_each_piece(Bytes from, Visit visit) {
  while (from.size() >= kPieceHeaderBytes) {
    const auto type = load<std::uint16_t, std::endian::native>(from.data());
    const std::size_t bytes = load<std::uint16_t, std::endian::native>(from.data() + 2);
    if (bytes > from.size() - kPieceHeaderBytes) return;
    if (!visit(type, from.subspan(kPieceHeaderBytes, bytes))) return;
    from = from.subspan(std::min(from.size(), kPieceHeaderBytes + padded(bytes)));
  }
}

template <class T>
bool take(Bytes value, std::optional<T>& into) {
  if (value.size() != sizeof(T)) return false;
  std::memcpy(&into.emplace(), value.data(), sizeof(T));
  return true;
}

std::byte* put(std::byte* to, Type type, const void* value, std::size_t bytes) {
  store<std::uint16_t, std::endian::native>(to, type);
  store<std::uint16_t, std::endian::native>(to + 2, static_cast<std::uint16_t>(bytes));
  if (bytes > 0) std::memcpy(to + kPieceHeaderBytes, value, bytes);
  return to + kPieceHeaderBytes + bytes;
}

template <class T>
std::byte* put(std::byte* to, Type type, const std::optional<T>& value) {
  static_assert(sizeof(T) == padded(sizeof(T)));
  return value ? put(to, type, &*value, sizeof *value) : to;
}

}  // namespace

Extension read_extension(Bytes from) {
  Extension read;
  for_each_piece(from, [&](std::uint16_t type, Bytes value) {
    if (type == kSequence) return take(value, read.sequence);
    if (type == kUserCode) return take(value, read.user_code);
    if (type == kComm) return take(value, read.comm);
    return true;
  });
  if (read.comm) read.comm->back() = '\0';
  return read;
}

Wishes read_wishes(Bytes from) {
  Wishes read;
  for_each_piece(from, [&](std::uint16_t type, Bytes value) {
    if (type == kTgid) return take(value, read.tgid);
    if (type == kTree) return take(value, read.tree);
    if (type == kExtended) read.extended = true;
    return true;
  });
  return read;
}

std::size_t write_extension(const Extension& extension, std::byte* to) {
  std::byte* at = put(to, kSequence, extension.sequence);
  at = put(at, kUserCode, extension.user_code);
  at = put(at, kComm, extension.comm);
  return static_cast<std::size_t>(at - to);
}

std::size_t write_wishes(const Wishes& wishes, std::byte* to) {
  std::byte* at = put(to, kTgid, wishes.tgid);
  at = put(at, kTree, wishes.tree);
  if (wishes.extended) at = put(at, kExtended, nullptr, 0);
  return static_cast<std::size_t>(at - to);
}

}  // namespace vif::cn
