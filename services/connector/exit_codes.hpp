// SPDX-License-Identifier: BSD-2-Clause
// The codes that threads want to be known to have ended with: what the thread exit series keeps in its hash table.
//
// By thread id, in an array as large as ids can be: no lock, no allocation, nobody waits. A number is used again by
// later threads, so each code belongs to a life: attach() begins one, and what an earlier one left unclaimed is set
// aside. Any thread, and put() and withdraw() any signal handler. Of one id attach() is called by one thread at a time,
// and so is take().
#pragma once

#include <atomic>
#include <cerrno>
#include <memory>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"

namespace vif::cn {

// What a call found. A signal handler cannot use Result, whose sentence is allocated.
struct FoundCode {
  int error = 0;                 // 0, or a positive errno: ENOENT: nothing registered
  std::uint32_t code = 0;        // any 32 bits; 0 is a code, too
  std::uint32_t generation = 0;  // of the registration, in its slot
  explicit operator bool() const { return error == 0; }
};

// Which of the threads that have had a number. 0: not known, and not asked.
struct Life {
  std::int32_t owner = 0;      // its process
  std::uint64_t began_ns = 0;  // it was attached neither before
  std::uint64_t ended_ns = 0;  // nor after; CLOCK_MONOTONIC
};

class VIF_API ExitCodes {
 public:
  static constexpr std::size_t kUnclaimedMax = 256;

  // For ids below `ids`, 1 to 2^22 + 1 (PID_MAX_LIMIT), as the host's pid_max. Memory is the host's when it is first
  // touched: 24 bytes an id. EINVAL, ENOMEM.
  static Result<std::unique_ptr<ExitCodes>> create(std::uint32_t ids);
  ~ExitCodes();
  ExitCodes(const ExitCodes&) = delete;
  ExitCodes& operator=(const ExitCodes&) = delete;

  // A thread with this id, of process `owner`, has begun at `born_ns` or soon before. The same again changes nothing.
  // ENOSPC: the id is too large. ESHUTDOWN.
  int attach(std::int32_t tid, std::int32_t owner, std::uint64_t born_ns);
  // It registers nothing any more; what it has registered stays.
  void detach(std::int32_t tid);

  // The last one wins. ESRCH: no attached thread. ENOSPC, ESHUTDOWN.
  int put(std::int32_t tid, std::uint32_t code);
  // The first one wins, attached or not, as the series had it. EEXIST; ENOSPC, ESHUTDOWN.
  int add(std::int32_t tid, std::uint32_t code);
  // ENOENT: there is none.
  int withdraw(std::int32_t tid);

  FoundCode get(std::int32_t tid) const;
  // Of the life that is meant, which may be an earlier one with this id. Its slot's generation goes up.
  FoundCode take(std::int32_t tid, const Life& life = {});

  // The last codes that nobody took before their number was used again, oldest first.
  struct Unclaimed {
    std::int32_t tid, owner;
    std::uint64_t born_ns;
    std::uint32_t code;
  };
  std::vector<Unclaimed> unclaimed() const;
  std::uint64_t forgotten() const {
    return forgotten_.load(std::memory_order_relaxed);
  }  // no room for them among these

  // Codes that are registered and not taken; counts them. Exact when nobody changes any.
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  // Of a fork's child: the codes are the parent's threads', none of which is here. Signal handlers may call it.
  void forget_all();
  // From now on ESHUTDOWN. Returns how many codes were thrown away; waits for nobody.
  std::size_t close();

 private:
  // A slot's word: code, generation, and two bits.
  using Word = std::uint64_t;
  static constexpr Word kPresent = 1, kAttached = 2, kGeneration = 4;
  // Plain, and looked at through atomic_ref, as calloc makes no other objects.
  struct Identity {
    std::uint64_t born_ns;
    std::int32_t owner;
    std::int32_t unused;
  };
  struct SetAside;

  ExitCodes(std::uint32_t ids, void* words, void* identities);

  bool holds(std::int32_t tid) const { return tid >= 0 && static_cast<std::uint32_t>(tid) < ids_; }
  std::atomic_ref<Word> word_of(std::int32_t tid) const { return std::atomic_ref(words_[tid]); }
  Unclaimed identity_of(std::int32_t tid) const;
  void raise_highest(std::int32_t tid);
  template <class Change>
  FoundCode change(std::int32_t tid, Change next);
  FoundCode take_aside(std::int32_t tid, const Life& life);
  SetAside* set_aside(std::int32_t tid, Word word);
  std::size_t sweep(Word keep);

  const std::uint32_t ids_;
  Word* const words_;
  Identity* const identities_;
  std::atomic<std::int32_t> highest_{0};  // id ever used
  std::atomic<bool> closed_{false};
  const std::unique_ptr<SetAside[]> aside_;
  std::atomic<std::uint64_t> asides_{0};  // so many were ever set aside
  std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace vif::cn
