#include "server/fault.hpp"

#include <map>
#include <stdexcept>

#include "server/words.hpp"

namespace ksr::testserver {
namespace {

const std::map<std::string, FaultAction>& actions() {
  static const auto* const table = new std::map<std::string, FaultAction>{
      {"answer", FaultAction::answer},
      {"redirect", FaultAction::answer},
      {"garbage", FaultAction::inject},
      {"cut", FaultAction::cut},
      {"cut-event", FaultAction::cut_event},
      {"half-event", FaultAction::half_event},
      {"end", FaultAction::end},
      {"stall", FaultAction::stall},
      {"slow", FaultAction::slow},
      {"inject", FaultAction::inject},
      {"error-event", FaultAction::inject},
      {"huge", FaultAction::huge},
      {"content-type", FaultAction::content_type},
      {"bad-chunk", FaultAction::bad_chunk},
      {"endless-headers", FaultAction::endless_headers},
      {"no-bookmarks", FaultAction::no_bookmarks},
      {"no-pong", FaultAction::no_pong},
      {"mute", FaultAction::mute},
      {"empty-pages", FaultAction::empty_pages},
      {"close-code", FaultAction::close_code},
      {"fragment", FaultAction::fragment},
      {"binary", FaultAction::binary},
      {"bad-handshake", FaultAction::bad_handshake},
      {"no-upgrade", FaultAction::no_upgrade},
      {"hold-head", FaultAction::hold_head},
      {"withhold", FaultAction::withhold},
      {"withhold-events", FaultAction::withhold_events},
      {"hang-up", FaultAction::hang_up},
      {"cut-after", FaultAction::cut_after},
      {"http10", FaultAction::http10},
  };
  return *table;
}

unsigned parse_status(const std::string& text) {
  const auto status = parse_size(text);
  if (status < 100 || status > 4999) throw std::runtime_error("expected a status such as 503: " + text);
  return static_cast<unsigned>(status);
}

void add_header(Fault& fault, const std::string& line) {
  const auto colon = line.find(':');
  if (colon == std::string::npos) throw std::runtime_error("expected a header such as header=\"Name: value\": " + line);
  const auto value = line.find_first_not_of(' ', colon + 1);
  fault.headers.emplace_back(line.substr(0, colon), value == std::string::npos ? "" : line.substr(value));
}

void set_option(Fault& fault, const std::string& key, const std::string& value) {
  if (key == "times")
    fault.times = value == "forever" ? -1 : static_cast<int>(parse_size(value));
  else if (key == "skip")
    fault.skip = static_cast<int>(parse_size(value));
  else if (key == "transport")
    fault.transport = value;
  else if (key == "bytes" || key == "after")
    fault.bytes = parse_size(value);
  else if (key == "event")
    fault.event = static_cast<std::size_t>(parse_size(value));
  else if (key == "every")
    fault.interval = parse_duration(value);
  else if (key == "reset")
    fault.reset = value == "true";
  else if (key == "body")
    fault.body = value;
  else if (key == "text")
    fault.text = value;
  else if (key == "type")
    fault.headers.emplace_back("Content-Type", value);
  else if (key == "to")
    fault.headers.emplace_back("Location", value);
  else if (key == "retry-after")
    fault.headers.emplace_back("Retry-After", value);
  else if (key == "header")
    add_header(fault, value);
  else
    throw std::runtime_error("unknown fault option: " + key);
}

std::string garbage_bytes() {
  std::string bytes = "\x01\xff\xfe{]]\"not json\x80";
  bytes += '\0';
  return bytes;
}

void set_defaults(Fault& fault, const std::string& action) {
  if (action == "redirect") fault.status = 302;
  if (action == "garbage") {
    fault.text = garbage_bytes();
    fault.event = 0;
  }
  if (action == "error-event") fault.status = 500;
  if (action == "slow") fault.bytes = 64;
  if (action == "huge") fault.bytes = 1024 * 1024;
  if (action == "inject" || action == "huge" || action == "error-event" || action == "end") fault.event = 0;
}

void finish(Fault& fault, const std::string& action) {
  if (action == "error-event" && fault.text.empty()) {
    fault.text = R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                 R"("message":"a fault of the test server","reason":")" +
                 std::string(fault.status == 410   ? "Expired"
                             : fault.status == 429 ? "TooManyRequests"
                                                   : "InternalError") +
                 R"(","code":)" + std::to_string(fault.status) + "}}";
  }
  if (action == "answer" && fault.status == 0) throw std::runtime_error("expected a status after: fault … answer");
}

bool fits(const Fault& fault, const RequestKind& request) {
  if (fault.verb != "any" && fault.verb != request.verb) return false;
  if (!fault.transport.empty() && (fault.transport == "websocket") != request.websocket) return false;
  if (fault.where == "*" || fault.where == request.plural) return true;
  return !fault.where.empty() && fault.where.front() == '/' && request.path.rfind(fault.where, 0) == 0;
}

}  // namespace

Fault Fault::parse(std::string_view line) {
  const auto words = split_words(line);
  if (words.size() < 3) throw std::runtime_error("expected: fault VERB WHERE ACTION [key=value…]");
  Fault fault;
  fault.verb = words[0];
  fault.where = words[1];
  const std::string& action = words[2];
  const auto found = actions().find(action);
  if (found == actions().end()) throw std::runtime_error("unknown fault action: " + action);
  fault.action = found->second;
  set_defaults(fault, action);
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto equal = words[i].find('=');
    if (equal == std::string::npos) {
      fault.status = parse_status(words[i]);
    } else {
      set_option(fault, words[i].substr(0, equal), words[i].substr(equal + 1));
    }
  }
  finish(fault, action);
  return fault;
}

Fault FaultPlan::take(const RequestKind& request) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (!fits(*fault, request)) continue;
    if (fault->skip > 0) {
      --fault->skip;
      continue;
    }
    Fault taken = *fault;
    if (fault->times > 0 && --fault->times == 0) faults_.erase(fault);
    return taken;
  }
  return Fault();
}

}  // namespace ksr::testserver
