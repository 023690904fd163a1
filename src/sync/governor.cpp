#include "sync/governor.hpp"

#include <algorithm>

namespace ksr::sync {

bool Governor::Ticket::ask(Instant now) {
  governor_.now_ = std::max(governor_.now_, now);
  if (place_ != Place::none) return granted();
  const bool free = governor_.queue_.empty() && governor_.in_flight_ < kMostInFlight;
  if (free) {
    place_ = Place::granted;
    ++governor_.in_flight_;
  } else {
    place_ = Place::queued;
    governor_.queue_.push_back(this);
  }
  return free;
}

void Governor::Ticket::give_back() {
  auto& queue = governor_.queue_;
  if (place_ == Place::queued) queue.erase(std::remove(queue.begin(), queue.end(), this), queue.end());
  const bool was_granted = granted();
  place_ = Place::none;
  if (!was_granted) return;
  --governor_.in_flight_;
  governor_.grant_next();
}

void Governor::grant_next() {
  while (!queue_.empty() && in_flight_ < kMostInFlight) {
    Ticket& next = *queue_.front();
    queue_.pop_front();
    next.place_ = Ticket::Place::granted;
    ++in_flight_;
    next.member_.on_slot_granted(now_);
  }
}

void Governor::join(Member& member) {
  members_.push_back(&member);
}

void Governor::leave(Member& member) {
  withdraw_probe(member);
  members_.erase(std::remove(members_.begin(), members_.end(), &member), members_.end());
}

// A leaky bucket: what was taken is paid back at one per interval, and no more than the burst may be owed.
Instant Governor::reserve_retry(Instant now) {
  now_ = std::max(now_, now);
  retries_paid_until_ = std::max(retries_paid_until_, now) + kRetryInterval;
  return std::max(now, retries_paid_until_ - kRetryInterval * kRetryBurst);
}

void Governor::note_answer(Instant now) {
  now_ = std::max(now_, now);
  const bool was_in_doubt = unreachable_ || prober_ != nullptr;
  unreachable_ = false;
  prober_ = nullptr;
  if (was_in_doubt) welcome_back(now);
}

void Governor::note_unreachable(Instant now) {
  now_ = std::max(now_, now);
  unreachable_ = true;
  prober_ = nullptr;
}

bool Governor::claim_probe(Member& member, Instant now) {
  now_ = std::max(now_, now);
  if (prober_ != nullptr) return prober_ == &member;
  prober_ = &member;
  return true;
}

void Governor::withdraw_probe(const Member& member) {
  if (prober_ == &member) prober_ = nullptr;
}

void Governor::welcome_back(Instant now) {
  const Milliseconds spread = kRetryInterval * static_cast<Milliseconds::rep>(members_.size());
  for (Member* member : members_) member->on_server_back(now, spread);
}

}  // namespace ksr::sync
