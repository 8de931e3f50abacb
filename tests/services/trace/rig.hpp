// SPDX-License-Identifier: BSD-2-Clause
// What the tests of tracing stand on: memory that can run out, a program's memory with holes, a probe that keeps what
// it is given, and the kernel's structs as a program would fill them in.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/trace/kernel_abi.hpp"
#include "services/trace/probe.hpp"
#include "services/trace/tracing.hpp"

namespace vif::trace {

class HeapPages final : public PagesPort {
 public:
  MutBytes map(std::size_t bytes) override {
    if (bytes_left < bytes) return {};
    bytes_left -= bytes;
    ++mapped;
    auto* at = new (std::align_val_t{kPageBytes}) std::byte[bytes]{};
    return {at, bytes};
  }
  void unmap(MutBytes pages) override {
    --mapped;
    bytes_left += pages.size();
    ::operator delete[](pages.data(), std::align_val_t{kPageBytes});
  }

  std::size_t bytes_left = std::size_t{1} << 30;
  int mapped = 0;
};

class SetClock final : public ClockPort {
 public:
  Time now() override { return time; }
  std::int64_t wall_ns() override { return 0; }
  Time time{0};
};

// A program's memory: pages that are there or not, writable or not.
class ProgramMemory final : public CallerMemory {
 public:
  enum class Access { read_only, read_write };

  void map(std::uint64_t address, std::size_t bytes, Access access = Access::read_write) {
    for (std::uint64_t page = address / kPageBytes; page * kPageBytes < address + bytes; ++page) {
      pages_[page] = {access, std::vector<std::byte>(kPageBytes)};
    }
  }
  void unmap(std::uint64_t address) { pages_.erase(address / kPageBytes); }

  bool read(std::uint64_t address, MutBytes into) const override {
    for (std::size_t i = 0; i < into.size(); ++i) {
      const auto page = pages_.find((address + i) / kPageBytes);
      if (page == pages_.end()) return false;
      into[i] = page->second.bytes[(address + i) % kPageBytes];
      ++bytes_read;
    }
    return true;
  }
  bool write(std::uint64_t address, Bytes bytes) override {
    if (!writable(address, bytes.size())) return false;
    poke(address, bytes);
    return true;
  }
  bool set_bit(std::uint64_t address, std::size_t size, unsigned bit, bool on) override {
    if (!writable(address, size)) return false;
    std::byte& byte = pages_.at(address / kPageBytes).bytes[address % kPageBytes + bit / 8];
    const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
    byte = on ? byte | mask : byte & ~mask;
    return true;
  }

  // As the program itself does.
  void poke(std::uint64_t address, Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      pages_.at((address + i) / kPageBytes).bytes[(address + i) % kPageBytes] = bytes[i];
    }
  }
  void poke(std::uint64_t address, const std::string& text) { poke(address, as_bytes(text)); }
  template <class T>
  void poke_value(std::uint64_t address, T value) {
    poke(address, std::as_bytes(std::span(&value, 1)));
  }
  template <class T>
  T peek(std::uint64_t address) const {
    T value{};
    (void)read(address, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

  mutable std::size_t bytes_read = 0;

 private:
  struct Page {
    Access access;
    std::vector<std::byte> bytes;
  };

  bool writable(std::uint64_t address, std::size_t bytes) const {
    for (std::uint64_t at = address; at < address + bytes; ++at) {
      const auto page = pages_.find(at / kPageBytes);
      if (page == pages_.end() || page->second.access == Access::read_only) return false;
    }
    return true;
  }

  std::map<std::uint64_t, Page> pages_;
};

class KeepingProbe final : public Probe {
 public:
  explicit KeepingProbe(ProbeKind kind = ProbeKind::ftrace) : kind_(kind) {}
  ProbeKind kind() const override { return kind_; }
  int record(Writer&, const UserEvent& event, const Payload& payload) override {
    std::vector<std::byte> record(kRecordHeaderBytes + payload.bytes());
    if (!payload.copy_to(std::span(record).subspan(kRecordHeaderBytes))) return EFAULT;
    if (!locations_valid(event.format, record)) return EFAULT;
    records.emplace_back(record.begin() + kRecordHeaderBytes, record.end());
    return 0;
  }

  std::vector<std::vector<std::byte>> records;  // payloads

 private:
  ProbeKind kind_;
};

constexpr std::uint32_t dyn_loc(std::uint32_t offset, std::uint32_t size) { return size << 16 | offset; }

// One program with the group's files open. The group is the root, or the named one `group`.
struct Program {
  Program(Tracing& in, std::uint32_t group_id, Era of_era, Privilege privilege = Privilege::may_persist)
      : tracing(in), group(group_id), era(of_era), may(privilege) {
    memory.map(kScratch, 64 * 1024);
    open();
  }
  ~Program() { tracing.enablers().forget(memory); }

  static constexpr std::uint64_t kScratch = 0x10000, kReg = kScratch, kText = kScratch + 0x1000,
                                 kPayload = kScratch + 0x4000, kWords = kScratch + 0x8000;

  void open() {
    data = std::move(tracing.open_data(group)).value();
    abi.emplace(tracing, *data, memory, era, may);
  }
  void close() {
    abi.reset();
    data.reset();
  }

  // Returns 0 or an errno; outputs in write_index and status_bit.
  int reg_bits(const std::string& command) {
    memory.poke(kText, command + '\0');
    return reg_bits_at(kText, 20);
  }
  int reg_bits_at(std::uint64_t text, std::uint32_t size) {
    memory.poke_value(kReg, size);
    memory.poke_value(kReg + 4, text);
    const int error = abi->ioctl(kDiagIocsReg, kReg);
    status_bit = memory.peek<std::uint32_t>(kReg + 12);
    write_index = memory.peek<std::int32_t>(kReg + 16);
    return error;
  }

  struct Enable {
    std::uint8_t bit = 31, size = 4;
    std::uint16_t flags = 0;
    std::uint64_t address = kWords;
  };
  int reg_address(const std::string& command, const Enable& enable) {
    memory.poke(kText, command + '\0');
    memory.poke_value(kReg, std::uint32_t{28});
    memory.poke_value(kReg + 4, enable.bit);
    memory.poke_value(kReg + 5, enable.size);
    memory.poke_value(kReg + 6, enable.flags);
    memory.poke_value(kReg + 8, enable.address);
    memory.poke_value(kReg + 16, kText);
    const int error = abi->ioctl(kDiagIocsReg, kReg);
    write_index = memory.peek<std::int32_t>(kReg + 24);
    return error;
  }
  int unreg(std::uint8_t bit, std::uint64_t address = kWords) {
    memory.poke_value(kReg, std::uint32_t{16});
    memory.poke_value(kReg + 4, std::uint32_t{bit});
    memory.poke_value(kReg + 8, address);
    return abi->ioctl(kDiagIocsUnreg, kReg);
  }
  int del(const std::string& name) {
    memory.poke(kText, name + '\0');
    return abi->ioctl(kDiagIocsDel, kText);
  }

  // writev {index, payload}.
  KernelAbi::Written writev(std::int32_t index, Bytes payload) {
    memory.poke_value(kPayload, index);
    memory.poke(kPayload + 16, payload);
    const std::array slices = {CallerSlice{kPayload, 4}, CallerSlice{kPayload + 16, payload.size()}};
    return abi->writev(writer, std::span(slices).first(payload.empty() ? 1 : 2));
  }
  template <class... T>
  KernelAbi::Written write_values(std::int32_t index, T... values) {
    std::vector<std::byte> bytes;
    const auto append = [&](auto value) {
      const auto part = std::as_bytes(std::span(&value, 1));
      bytes.insert(bytes.end(), part.begin(), part.end());
    };
    (append(values), ...);
    return writev(index, bytes);
  }

  Tracing& tracing;
  std::uint32_t group;
  Era era;
  Privilege may;
  ProgramMemory memory;
  SetClock clock;
  Writer writer{77, clock};
  std::unique_ptr<DataFile> data;
  std::optional<KernelAbi> abi;
  std::uint32_t status_bit = 0;
  std::int32_t write_index = -1;
};

}  // namespace vif::trace
