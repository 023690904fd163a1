// `RequestLimiter` limits the requests in flight and the retries of all streams of one server; used by Reflector, owned
// by ServerState. Lives on the network thread, as its members do.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "base/instant.hpp"

namespace ksr::sync {

class RequestLimiter {
 public:
  // Lists, and watches that are not open yet.
  static constexpr std::size_t kMaxInFlight = 20;
  // Retries after failures: this many at once, then one per kRetryInterval.
  static constexpr int kRetryBurst = 20;
  static constexpr Milliseconds kRetryInterval{50};

  // A reflector. It is called from within the inputs of another reflector, and must do no more than set its timer.
  class Member {
   public:
    virtual void on_slot_granted(Instant now) = 0;
    // The server was unreachable and answers again. Members that wait for it distribute their retries over `spread`.
    virtual void on_server_recovered(Instant now, Milliseconds spread) = 0;

   protected:
    ~Member() = default;
  };

  // One member's place among the requests in flight. The member must outlive the slot, and the slot the request.
  class Slot {
   public:
    Slot(RequestLimiter& limiter, Member& member) : limiter_(limiter), member_(member) {}
    ~Slot() { release(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    // True: the request may start. False: queued; Member::on_slot_granted follows, first come, first served.
    bool request(Instant now);
    bool granted() const noexcept { return place_ == Place::granted; }
    bool queued() const noexcept { return place_ == Place::queued; }
    // The request was answered, or ended, or is no longer wanted. No effect without a place.
    void release();

   private:
    friend class RequestLimiter;
    enum class Place { none, queued, granted };
    RequestLimiter& limiter_;
    Member& member_;
    Place place_ = Place::none;
  };

  void join(Member& member);
  void leave(Member& member);
  std::size_t members() const noexcept { return members_.size(); }

  // When a retry that is due now may be made: now, or later if the budget is used up. The result is a reservation.
  Instant reserve_retry(Instant now);

  // Any answer proves that the server is reachable; a missing one that it may not be.
  void note_answer(Instant now);
  void note_unreachable(Instant now);

  // After a sleep it is unknown whether the server is reachable. True for the first member: it tries at once, and the
  // others when the server has answered. Available again after the answer, or after withdraw_probe.
  bool claim_probe(Member& member, Instant now);
  void withdraw_probe(const Member& member);

  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  void grant_next();
  void notify_recovered(Instant now);

  std::vector<Member*> members_;
  std::deque<Slot*> queue_;
  std::size_t in_flight_ = 0;
  Instant retries_reserved_until_{};
  Instant now_{};
  bool unreachable_ = false;
  const Member* prober_ = nullptr;
};

}  // namespace ksr::sync
