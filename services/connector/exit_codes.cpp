// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/exit_codes.hpp"

#include <algorithm>
#include <cstdlib>

namespace vif::cn {
namespace {

constexpr std::uint32_t kIdsMax = (1U << 22) + 1;  // PID_MAX_LIMIT, and id 0

bool is_meant(const ExitCodes::Unclaimed& one, const Life& life) {
  if (life.owner != 0 && one.owner != 0 && one.owner != life.owner) return false;
  if (one.born_ns == 0) return true;
  return one.born_ns >= life.began_ns && (life.ended_ns == 0 || one.born_ns <= life.ended_ns);
}

constexpr std::uint32_t code_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
constexpr std::uint32_t generation_of(std::uint64_t word) { return static_cast<std::uint32_t>(word) >> 2; }

}  // namespace

// A place of the ring of unclaimed codes. What is in it belongs to who brought its state to busy.
struct ExitCodes::SetAside {
  enum State : std::uint32_t { kFree, kBusy, kFull };
  std::atomic<std::uint32_t> state{kFree};
  std::atomic<std::int32_t> tid{0}, owner{0};
  std::atomic<std::uint64_t> born_ns{0}, word{0}, order{0};

  Unclaimed what() const { return {tid, owner, born_ns, code_of(word)}; }
  bool become(std::uint32_t from, std::uint32_t to) {
    return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }
};

Result<std::unique_ptr<ExitCodes>> ExitCodes::create(std::uint32_t ids) {
  if (ids == 0 || ids > kIdsMax) return fail(EINVAL, "thread ids are below 1 to " + std::to_string(kIdsMax));
  // Only calloc gives memory that costs nothing before it is touched.
  void* const words = std::calloc(ids, sizeof(Word));
  void* const identities = std::calloc(ids, sizeof(Identity));
  if (words == nullptr || identities == nullptr) {
    std::free(words);
    std::free(identities);
    return fail(ENOMEM, "no memory for the exit codes of " + std::to_string(ids) + " threads");
  }
  return std::unique_ptr<ExitCodes>(new ExitCodes(ids, words, identities));
}

ExitCodes::ExitCodes(std::uint32_t ids, void* words, void* identities)
    : ids_(ids),
      words_(static_cast<Word*>(words)),
      identities_(static_cast<Identity*>(identities)),
      aside_(std::make_unique<SetAside[]>(kUnclaimedMax)) {}

ExitCodes::~ExitCodes() {
  std::free(words_);
  std::free(identities_);
}

ExitCodes::Unclaimed ExitCodes::identity_of(std::int32_t tid) const {
  Identity& identity = identities_[tid];
  return {tid, std::atomic_ref(identity.owner).load(std::memory_order_relaxed),
          std::atomic_ref(identity.born_ns).load(std::memory_order_acquire), 0};
}

void ExitCodes::raise_highest(std::int32_t tid) {
  for (std::int32_t highest = highest_.load(std::memory_order_relaxed); highest < tid;) {
    if (highest_.compare_exchange_weak(highest, tid, std::memory_order_relaxed)) return;
  }
}

// Brings a slot from any state to next(state), or leaves it where next() says an errno. Returns what it was.
template <class Change>
FoundCode ExitCodes::change(std::int32_t tid, Change next) {
  if (!holds(tid)) return {.error = ENOSPC};
  const std::atomic_ref<Word> at = word_of(tid);
  Word word = at.load(std::memory_order_acquire);
  for (;;) {
    Word wanted = word;
    if (const int error = next(wanted); error != 0) return {.error = error};
    if (at.compare_exchange_weak(word, wanted, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return {0, code_of(word), generation_of(word)};
    }
  }
}

int ExitCodes::attach(std::int32_t tid, std::int32_t owner, std::uint64_t born_ns) {
  if (!holds(tid)) return ENOSPC;
  if (closed_.load()) return ESHUTDOWN;
  const std::atomic_ref<Word> at = word_of(tid);
  const Unclaimed before = identity_of(tid);
  Word word = at.load(std::memory_order_acquire);
  if ((word & kAttached) != 0 && before.owner == owner && before.born_ns == born_ns) return 0;
  raise_highest(tid);
  for (;;) {
    // Set aside first: who takes meanwhile finds the code here or there, and one of us two sees it.
    SetAside* const aside = (word & kPresent) != 0 ? set_aside(tid, word) : nullptr;
    const Word begun = ((word & UINT32_MAX & ~kPresent) + kGeneration) & UINT32_MAX;
    if (at.compare_exchange_strong(word, begun | kAttached, std::memory_order_acq_rel)) break;
    if (aside != nullptr) (void)aside->become(SetAside::kFull, SetAside::kFree);
  }
  std::atomic_ref(identities_[tid].owner).store(owner, std::memory_order_relaxed);
  std::atomic_ref(identities_[tid].born_ns).store(born_ns, std::memory_order_release);
  return 0;
}

void ExitCodes::detach(std::int32_t tid) {
  if (holds(tid)) word_of(tid).fetch_and(~kAttached);
}

int ExitCodes::put(std::int32_t tid, std::uint32_t code) {
  const int error = change(tid, [&](Word& word) {
                      if ((word & kAttached) == 0) return ESRCH;
                      word = Word{code} << 32 | (word & UINT32_MAX) | kPresent;
                      return 0;
                    }).error;
  // Looked at after the code is there: close() either finds it, or is seen here.
  if (error != 0 || !closed_.load()) return error;
  (void)withdraw(tid);
  return ESHUTDOWN;
}

int ExitCodes::add(std::int32_t tid, std::uint32_t code) {
  if (!holds(tid)) return ENOSPC;
  raise_highest(tid);
  const int error = change(tid, [&](Word& word) {
                      if ((word & kPresent) != 0) return EEXIST;
                      word = Word{code} << 32 | (word & UINT32_MAX) | kPresent;
                      return 0;
                    }).error;
  if (error != 0 || !closed_.load()) return error;
  (void)withdraw(tid);
  return ESHUTDOWN;
}

int ExitCodes::withdraw(std::int32_t tid) {
  const int error = change(tid, [](Word& word) {
                      if ((word & kPresent) == 0) return ENOENT;
                      word = ((word & UINT32_MAX & ~kPresent) + kGeneration) & UINT32_MAX;
                      return 0;
                    }).error;
  return error == ENOSPC ? ENOENT : error;
}

FoundCode ExitCodes::get(std::int32_t tid) const {
  const Word word = holds(tid) ? word_of(tid).load(std::memory_order_acquire) : 0;
  if ((word & kPresent) == 0) return {.error = ENOENT};
  return {0, code_of(word), generation_of(word)};
}

FoundCode ExitCodes::take(std::int32_t tid, const Life& life) {
  if (!holds(tid)) return {.error = ENOENT};
  if (asides_.load(std::memory_order_acquire) != 0) {
    if (const FoundCode aside = take_aside(tid, life)) return aside;
  }
  const bool any = life.owner == 0 && life.began_ns == 0 && life.ended_ns == 0;
  return change(tid, [&](Word& word) {
    // Who it is may change while we look, but then the word has changed, too.
    if ((word & kPresent) == 0 || !(any || is_meant(identity_of(tid), life))) return ENOENT;
    word = ((word & UINT32_MAX & ~kPresent) + kGeneration) & UINT32_MAX;
    return 0;
  });
}

ExitCodes::SetAside* ExitCodes::set_aside(std::int32_t tid, Word word) {
  const std::uint64_t order = asides_.fetch_add(1, std::memory_order_acq_rel);
  SetAside& place = aside_[order % kUnclaimedMax];
  if (!place.become(SetAside::kFree, SetAside::kBusy)) {
    forgotten_.fetch_add(1, std::memory_order_relaxed);
    if (!place.become(SetAside::kFull, SetAside::kBusy))
      return nullptr;  // somebody is at it: ours is forgotten instead
  }
  place.tid.store(tid, std::memory_order_relaxed);
  const Unclaimed identity = identity_of(tid);
  place.owner.store(identity.owner, std::memory_order_relaxed);
  place.born_ns.store(identity.born_ns, std::memory_order_relaxed);
  place.word.store(word, std::memory_order_relaxed);
  place.order.store(order, std::memory_order_relaxed);
  place.state.store(SetAside::kFull, std::memory_order_release);
  return &place;
}

FoundCode ExitCodes::take_aside(std::int32_t tid, const Life& life) {
  SetAside* oldest = nullptr;
  for (std::size_t i = 0; i < kUnclaimedMax; ++i) {
    SetAside& place = aside_[i];
    if (place.state.load(std::memory_order_acquire) != SetAside::kFull || place.tid != tid) continue;
    if (!is_meant(place.what(), life)) continue;
    if (oldest == nullptr || place.order < oldest->order) oldest = &place;
  }
  if (oldest == nullptr || !oldest->become(SetAside::kFull, SetAside::kBusy)) return {.error = ENOENT};
  const Word word = oldest->word.load(std::memory_order_relaxed);
  const bool still = oldest->tid == tid;
  oldest->state.store(still ? SetAside::kFree : SetAside::kFull, std::memory_order_release);
  return still ? FoundCode{0, code_of(word), generation_of(word)} : FoundCode{.error = ENOENT};
}

std::vector<ExitCodes::Unclaimed> ExitCodes::unclaimed() const {
  std::vector<std::pair<std::uint64_t, Unclaimed>> found;
  for (std::size_t i = 0; i < kUnclaimedMax; ++i) {
    const SetAside& place = aside_[i];
    if (place.state.load(std::memory_order_acquire) != SetAside::kFull) continue;
    found.push_back({place.order, place.what()});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Unclaimed> all;
  for (const auto& [order, each] : found) all.push_back(each);
  return all;
}

std::size_t ExitCodes::size() const {
  std::size_t count = 0;
  const std::int32_t highest = highest_.load(std::memory_order_relaxed);
  for (std::int32_t tid = 0; tid <= highest; ++tid) count += word_of(tid).load(std::memory_order_relaxed) & kPresent;
  return count;
}

// Empties every slot, leaving the bits of `keep`.
std::size_t ExitCodes::sweep(Word keep) {
  std::size_t present = 0;
  const std::int32_t highest = highest_.load();
  for (std::int32_t tid = 0; tid <= highest; ++tid) {
    const std::atomic_ref<Word> at = word_of(tid);
    Word word = at.load();
    if ((word & (kPresent | kAttached)) == 0) continue;  // an untouched page stays untouched
    while (!at.compare_exchange_weak(word,
                                     ((word + kGeneration) & UINT32_MAX & ~(kPresent | kAttached)) | (word & keep))) {
    }
    present += word & kPresent;
  }
  return present;
}

void ExitCodes::forget_all() {
  sweep(0);
  for (std::size_t i = 0; i < kUnclaimedMax; ++i) aside_[i].state.store(SetAside::kFree, std::memory_order_relaxed);
}

std::size_t ExitCodes::close() {
  closed_.store(true);
  return sweep(kAttached);
}

}  // namespace vif::cn
