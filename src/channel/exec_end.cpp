#include "channel/exec_end.hpp"

#include "base/text.hpp"
#include "base/whole_number.hpp"
#include "json/document.hpp"
#include "json/json_pointer.hpp"
#include "json/values.hpp"

namespace ksr::channel {
namespace {

using json::text_at;

// A Status is a few hundred bytes; that of a runtime that could not run the command may have its whole output.
constexpr std::size_t kMaxStatus = std::size_t{4} << 20;
// Up to here each message is looked at whether it is the last one, beyond it those that add a sixteenth.
constexpr std::size_t kOftenLookedAt = std::size_t{64} << 10;
constexpr int kMaxCauses = 16;
// k8s.io/streaming remotecommand v1: what is said of a failed command, in text.
constexpr std::string_view kNonZero = "command terminated with non-zero exit code: ";

// remotecommand.NonZeroExitCodeReason: details.causes has an ExitCode with the number as its message.
std::optional<int> exit_code_in(std::string_view status) {
  for (int i = 0; i < kMaxCauses; ++i) {
    const std::string cause = "/details/causes/" + std::to_string(i);
    if (!json::find_pointer(status, cause)) return std::nullopt;
    if (text_at(status, cause + "/reason") == "ExitCode") return whole_number<int>(text_at(status, cause + "/message"));
  }
  return std::nullopt;
}

Error failure_of(std::string_view status) {
  Error error{Status::server, one_line(text_at(status, "/message"))};
  if (error.message.empty()) error.message = "the server could not run the command";
  error.reason = one_line(text_at(status, "/reason"));
  const auto code = json::find_pointer(status, "/code");
  error.http_status = code ? whole_number<int>(*code).value_or(0) : 0;
  error.details = status;
  return error;
}

}  // namespace

void ExecEnd::add_status(std::string_view payload) {
  const std::string_view fitting = payload.substr(0, kMaxStatus - std::min(kMaxStatus, status_.size()));
  status_ += fitting;
  too_large_ = too_large_ || fitting.size() < payload.size();
  may_end_ = false;
  if (status_.size() > kOftenLookedAt && status_.size() < looked_at_ + looked_at_ / 16) return;
  looked_at_ = status_.size();
  // Also over a protocol that has none: behind a gateway that has taken the subprotocol from the answer the server may
  // wait for the close of a client that knows that all has been said.
  may_end_ = !too_large_ && json::document_kind(status_) == json::ValueKind::object;
}

bool ExecEnd::has_status() const {
  if (tells_failures_in_text(protocol_)) return !status_.empty();
  return !too_large_ && json::document_kind(status_) == json::ValueKind::object;
}

// Of a server that tells failures in text.
std::string ExecEnd::what_was_said() const {
  if (status_.empty()) return "the connection ended without a word on the command";
  if (json::document_kind(status_) != json::ValueKind::object) return one_line(status_);
  // Whose it is cannot be known: a gateway may have taken the subprotocol from the answer, or the Status from another.
  std::string said = std::string("a Status came over ") + subprotocol_of(protocol_) +
                     ", which has none: it is not known how the command ended";
  const std::string message = one_line(text_at(status_, "/message"));
  if (!message.empty()) said += ": " + message;
  return said;
}

ExecOutcome ExecEnd::finish(const std::optional<Error>& error) const {
  ExecOutcome outcome;
  if (tells_failures_in_text(protocol_)) {
    // Nothing at all is said of a success.
    const std::string_view text = status_;
    const std::size_t at = text.find(kNonZero);
    if (at != std::string_view::npos) outcome.exit_code = whole_number<int>(trimmed(text.substr(at + kNonZero.size())));
    outcome.verified = outcome.exit_code.has_value();
    if (outcome.exit_code) return outcome;
    outcome.error = error ? *error : Error{Status::lost, what_was_said()};
    return outcome;
  }
  if (too_large_) {
    outcome.error = Error{Status::lost, "the Status of the command is larger than " + std::to_string(kMaxStatus) +
                                            " bytes: it is not known how the command ended"};
    return outcome;
  }
  if (!has_status()) {
    outcome.error = Error{Status::lost, "the connection ended before the Status of the command came" +
                                            (error ? ": " + error->message : std::string())};
    return outcome;
  }
  if (text_at(status_, "/status") == "Success") {
    outcome.exit_code = 0;
    outcome.verified = protocol_ != ChannelProtocol::v5;
    return outcome;
  }
  if (text_at(status_, "/reason") == "NonZeroExitCode") outcome.exit_code = exit_code_in(status_);
  // A failure with the code 0 contradicts itself, and is no success.
  if (outcome.exit_code && *outcome.exit_code != 0) {
    outcome.verified = true;
    return outcome;
  }
  outcome.exit_code.reset();
  outcome.error = failure_of(status_);
  return outcome;
}

}  // namespace ksr::channel
