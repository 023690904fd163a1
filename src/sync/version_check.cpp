#include "sync/version_check.hpp"

#include "base/resource_version.hpp"
#include "sync/backoff.hpp"

namespace ksr::sync {
namespace {

// Of a server that is back many streams ask.
constexpr Milliseconds kFirst{5'000};
constexpr Milliseconds kAgain{60'000};

}  // namespace

void VersionCheck::note_version() noexcept {
  wanted_ = false;
  due_at_.reset();
}

void VersionCheck::note_open(Instant now, Random& random) {
  if (wanted_ && !due_at_) due_at_ = now + with_jitter(kFirst, random);
}

bool VersionCheck::take_due(std::string_view version, Instant now, Random& random) {
  if (!due_at_ || now < *due_at_) return false;
  version_ = version;
  due_at_ = now + with_jitter(kAgain, random);
  return true;
}

bool VersionCheck::finds_older(std::string_view newest) noexcept {
  if (!wanted_) return false;
  if (compare_resource_versions(newest, version_).value_or(0) < 0) return true;
  note_version();
  return false;
}

}  // namespace ksr::sync
