#include "commands/report.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <vector>

#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/output.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

// Many causes, or fields in conflict, are worth reading in full.
constexpr std::size_t kMaxLine = 20'000;

void write_line(const std::string& text) {
  const std::string line = shown(one_line(text, kMaxLine)) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string cause_text(const json::value& cause) {
  const std::string field = text_at(cause, {"field"});
  return (field.empty() ? "" : field + ": ") + text_at(cause, {"message"});
}

// All of the same object: its causes say what is wrong with it.
std::string invalid_line(const json::value& status, const std::string& doing) {
  const std::string kind = text_at(status, {"details", "kind"});
  const std::string name = text_at(status, {"details", "name"});
  std::string causes;
  if (const json::value* list = value_at(status, {"details", "causes"}); list != nullptr && list->is_array()) {
    for (const json::value& cause : list->get_array()) causes += (causes.empty() ? "" : "; ") + cause_text(cause);
  }
  // The server's message then has empty quotes for them.
  if (kind.empty() && name.empty()) {
    return doing + "The request is invalid: " + (causes.empty() ? text_at(status, {"message"}) : causes);
  }
  return doing + "The " + kind + " " + in_quotes(name) + " is invalid" + (causes.empty() ? "" : ": " + causes);
}

// Of an answer without a Status object.
const char* reason_of(int http_status) {
  switch (http_status) {
    case 400:
      return " (BadRequest)";
    case 403:
      return " (Forbidden)";
    case 404:
      return " (NotFound)";
    case 405:
      return " (MethodNotAllowed)";
    case 500:
      return " (InternalError)";
    case 503:
      return " (ServiceUnavailable)";
    default:
      return "";
  }
}

bool has_answered(const Failure& failure) {
  return failure.http_status >= 400 && failure.code <= KSR_E_AUTH;
}

}  // namespace

std::string line_of(const Failure& failure, const std::string& doing) {
  const json::value status = parse_answer(failure.details).value_or(nullptr);
  const std::string message = text_at(status, {"message"});
  if (message.empty() && has_answered(failure)) {
    return std::string("Error from server") + reason_of(failure.http_status) + ": " + doing + failure.message;
  }
  if (message.empty()) return "error: " + doing + failure.message;
  if (failure.reason == "Unauthorized") return "error: You must be logged in to the server (" + message + ")";
  if (failure.reason == "Invalid") return invalid_line(status, doing);
  const std::string reason = failure.reason.empty() ? "" : " (" + failure.reason + ")";
  return "Error from server" + reason + ": " + doing + message;
}

void Report::error(std::string_view what) {
  has_errors_ = true;
  write_line("error: " + std::string(what));
}

void Report::error(const Error& error) {
  if (error.status != Status::server) return this->error(error.message);
  has_errors_ = true;
  write_line(error.message);
}

void Report::failure(const Failure& failure, const std::string& doing, const std::string& advice) {
  has_errors_ = true;
  write_line(line_of(failure, doing) + advice);
}

void Report::warning(std::string_view text) {
  if (warned_.emplace(text).second) write_line("Warning: " + std::string(text));
}

void Report::note(std::string_view text) {
  write_line(std::string(text));
}

}  // namespace ksr::commands
