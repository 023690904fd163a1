#include "sync/request_limiter.hpp"

#include <algorithm>

namespace ksr::sync {

bool RequestLimiter::Slot::request(Instant now) {
  limiter_.now_ = std::max(limiter_.now_, now);
  if (place_ != Place::none) return granted();
  const bool free = limiter_.queue_.empty() && limiter_.in_flight_ < kMaxInFlight;
  if (free) {
    place_ = Place::granted;
    ++limiter_.in_flight_;
  } else {
    place_ = Place::queued;
    limiter_.queue_.push_back(this);
  }
  return free;
}

void RequestLimiter::Slot::release() {
  auto& queue = limiter_.queue_;
  if (place_ == Place::queued) queue.erase(std::remove(queue.begin(), queue.end(), this), queue.end());
  const bool was_granted = granted();
  place_ = Place::none;
  if (!was_granted) return;
  --limiter_.in_flight_;
  limiter_.grant_next();
}

void RequestLimiter::grant_next() {
  while (!queue_.empty() && in_flight_ < kMaxInFlight) {
    Slot& next = *queue_.front();
    queue_.pop_front();
    next.place_ = Slot::Place::granted;
    ++in_flight_;
    next.member_.on_slot_granted(now_);
  }
}

void RequestLimiter::join(Member& member) {
  members_.push_back(&member);
}

void RequestLimiter::leave(Member& member) {
  withdraw_probe(member);
  members_.erase(std::remove(members_.begin(), members_.end(), &member), members_.end());
}

// A leaky bucket: it drains one retry per interval and holds kRetryBurst.
Instant RequestLimiter::reserve_retry(Instant now) {
  now_ = std::max(now_, now);
  retries_reserved_until_ = std::max(retries_reserved_until_, now) + kRetryInterval;
  return std::max(now, retries_reserved_until_ - kRetryInterval * kRetryBurst);
}

void RequestLimiter::note_answer(Instant now) {
  now_ = std::max(now_, now);
  const bool was_uncertain = unreachable_ || prober_ != nullptr;
  unreachable_ = false;
  prober_ = nullptr;
  if (was_uncertain) notify_recovered(now);
}

void RequestLimiter::note_unreachable(Instant now) {
  now_ = std::max(now_, now);
  unreachable_ = true;
  prober_ = nullptr;
}

bool RequestLimiter::claim_probe(Member& member, Instant now) {
  now_ = std::max(now_, now);
  if (prober_ != nullptr) return prober_ == &member;
  prober_ = &member;
  return true;
}

void RequestLimiter::withdraw_probe(const Member& member) {
  if (prober_ == &member) prober_ = nullptr;
}

void RequestLimiter::notify_recovered(Instant now) {
  const Milliseconds spread = kRetryInterval * static_cast<Milliseconds::rep>(members_.size());
  for (Member* member : members_) member->on_server_recovered(now, spread);
}

}  // namespace ksr::sync
