// Keeps all streams of one server together from making a storm. Lives on the network thread, like its members.
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
  // Tries after a failure: this many at once, then one each kRetryInterval.
  static constexpr int kRetryBurst = 20;
  static constexpr Milliseconds kRetryInterval{50};

  // A reflector. Its calls come from within the inputs of another reflector: it must do no more than set its timer.
  class Member {
   public:
    virtual void on_slot_granted(Instant now) = 0;
    // The server was out of reach and answers again. Members that wait for it spread their return over `spread`.
    virtual void on_server_back(Instant now, Milliseconds spread) = 0;

   protected:
    ~Member() = default;
  };

  // One member's place among the requests in flight. The member must outlive it, and it the member's request.
  class Slot {
   public:
    Slot(RequestLimiter& limiter, Member& member) : limiter_(limiter), member_(member) {}
    ~Slot() { release(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    // True: the request may start. False: Member::on_slot_granted will come, in the order of asking.
    bool ask(Instant now);
    bool granted() const noexcept { return place_ == Place::granted; }
    bool queued() const noexcept { return place_ == Place::queued; }
    // The request was answered, or ended, or is no longer wanted. Giving back nothing is no error.
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

  // When a try that is due now may be made: now, or later if the server's budget for retries is spent. The answer is a
  // reservation.
  Instant reserve_retry(Instant now);

  // Any answer proves that the server is there; no answer at all that it may not be.
  void note_answer(Instant now);
  void note_unreachable(Instant now);

  // After a sleep all members are in doubt about the server. True for the first to ask: it tries at once, and the
  // others come back when the server answered. Open again after the answer, or after withdraw_probe.
  bool claim_probe(Member& member, Instant now);
  void withdraw_probe(const Member& member);

  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  void grant_next();
  void on_server_recovered(Instant now);

  std::vector<Member*> members_;
  std::deque<Slot*> queue_;
  std::size_t in_flight_ = 0;
  Instant retries_reserved_until_{};
  Instant now_{};
  bool unreachable_ = false;
  const Member* prober_ = nullptr;
};

}  // namespace ksr::sync
