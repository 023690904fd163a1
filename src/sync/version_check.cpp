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

}  // namespace

void VersionCheck::note_version() noexcept {
  failed_ = false;
  asked_ = false;
  silent_since_.reset();
  due_at_.reset();
}

void VersionCheck::note_open(std::size_t streams, Instant now, Random& random) {
  if (!silent_since_) silent_since_ = now;
  if (!failed_ || due_at_) return;
  const Milliseconds for_all = kForEach * static_cast<Milliseconds::rep>(streams);
  due_at_ = now + with_jitter(std::max(kFirst, for_all), random);
}

std::optional<Instant> VersionCheck::due_at(std::optional<Milliseconds> limit) const {
  if (due_at_ || !silent_since_ || !limit) return due_at_;
  return *silent_since_ + *limit;
}

bool VersionCheck::take_due(std::string_view version, std::optional<Milliseconds> limit, Instant now, Random& random) {
  const std::optional<Instant> at = due_at(limit);
  if (!at || now < *at) return false;
  asked_ = true;
  version_ = version;
  due_at_ = now + with_jitter(kAgain, random);
  return true;
}

bool VersionCheck::finds_older(std::string_view newest) noexcept {
  if (!asked_) return false;
  if (compare_resource_versions(newest, version_).value_or(0) < 0) return true;
  note_version();
  return false;
}

}  // namespace ksr::sync
