#include "sync/version_check.hpp"

#include <algorithm>

#include "base/resource_version.hpp"
#include "sync/backoff.hpp"

namespace ksr::sync {
namespace {

constexpr Milliseconds kFirst{5'000};
// When a server is back all streams may ask: some twenty a second.
constexpr Milliseconds kForEach{50};
constexpr Milliseconds kAgain{60'000};
// A server without progress notifications of its etcd has no bookmarks for what does not change: lists that find
// nothing come less and less often.
constexpr int kMaxVainDoublings = 3;

Milliseconds spread_over(std::size_t streams, Milliseconds least, Random& random) {
  return with_jitter(std::max(least, kForEach * static_cast<Milliseconds::rep>(streams)), random);
}

}  // namespace

void VersionCheck::note_failure() noexcept {
  failed_ = true;
  due_at_.reset();
}

void VersionCheck::note_version() noexcept {
  note_list(true);
}

void VersionCheck::note_list(bool changed) noexcept {
  if (changed) {
    vain_lists_ = 0;
  } else if (asked_ && by_silence_ && vain_lists_ < kMaxVainDoublings) {
    ++vain_lists_;
  }
  failed_ = false;
  asked_ = false;
  silent_since_.reset();
  due_at_.reset();
}

void VersionCheck::note_open(std::size_t streams, Instant now, Random& random) {
  if (silent_since_ && (!failed_ || due_at_)) return;
  if (!silent_since_) silent_since_ = now;
  spread_ = spread_over(streams, kFirst, random);
  if (failed_ && !due_at_) due_at_ = now + spread_;
}

std::optional<Instant> VersionCheck::due_at(std::optional<Milliseconds> limit) const {
  if (due_at_) return due_at_;
  const std::optional<Instant> until = silent_until(limit);
  return until ? std::optional(*until + spread_) : std::nullopt;
}

std::optional<Instant> VersionCheck::silent_until(std::optional<Milliseconds> limit) const noexcept {
  if (!silent_since_ || !limit) return std::nullopt;
  return *silent_since_ + *limit * (1 << vain_lists_);
}

bool VersionCheck::take_due(std::string_view version, std::optional<Milliseconds> limit, std::size_t streams,
                            Instant now, Random& random) {
  const std::optional<Instant> at = due_at(limit);
  if (!at || now < *at) return false;
  asked_ = true;
  const std::optional<Instant> until = silent_until(limit);
  by_silence_ = until && now >= *until;
  version_ = version;
  due_at_ = now + spread_over(streams, kAgain, random);
  return true;
}

VersionCheck::Finding VersionCheck::judge(std::string_view newest, Instant now) noexcept {
  if (!asked_) return Finding::current;
  const std::optional<int> order = compare_resource_versions(newest, version_);
  if (!order) return Finding::none;
  if (*order < 0) return Finding::older;
  if (*order > 0 && by_silence_) return Finding::newer;
  failed_ = false;
  asked_ = false;
  due_at_.reset();
  if (by_silence_) silent_since_ = now;
  return Finding::current;
}

}  // namespace ksr::sync
