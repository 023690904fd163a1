// Responses that are no success, and Retry-After: one short line for people, and a bounded wait.
#include "cluster/refusal.hpp"

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ksr::fuzz::require;
  ksr::fuzz::Input input(data, size);
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  ksr::transport::ResponseHead head;
  head.status = 100 + input.byte() * 4;
  head.retry_after = input.line();
  head.content_type = input.line();
  head.headers = {{"retry-after", head.retry_after}, {"content-type", head.content_type}};
  const ksr::cluster::Refusal refusal = ksr::cluster::read_refusal(head, input.rest(), now);
  require(!refusal.error.message.empty() && !ksr::has_control_characters(refusal.error.message), "not one line");
  require(refusal.error.message.size() < 4096, "a long message");
  require(refusal.error.status != ksr::Status::ok, "a refusal that is none");
  for (const auto& wait : {refusal.error.retry_after, ksr::cluster::parse_retry_after(head.retry_after, now)}) {
    if (wait) require(wait->count() >= 0 && *wait <= ksr::json::kMaxRetryAfter, "a wait out of its bounds");
  }
  return 0;
}
