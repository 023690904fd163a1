// `Report` writes warnings and errors to standard error, one line each, and remembers whether there was an error;
// `Failure` is what a request ended with. Used by all commands. Main thread.
#pragma once

#include <ksr.h>

#include <set>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace ksr::commands {

struct Failure {
  ksr_status code = KSR_E_INTERNAL;
  int http_status = 0;
  std::string message;  // the library's: what failed, and where
  std::string reason;   // of the Status object
  std::string details;  // the Status object as JSON; empty without one
};

// As kubectl puts it (k8s.io/kubectl/pkg/cmd/util/helpers.go, checkErr), but on one line. `doing` goes before the
// server's message: `error when creating "a.yaml": `.
std::string line_of(const Failure& failure, const std::string& doing = "");

class Report {
 public:
  // "error: WHAT".
  void error(std::string_view what);
  // Status::server: the line is complete already.
  void error(const Error& error);
  // `advice` follows the line.
  void failure(const Failure& failure, const std::string& doing = "", const std::string& advice = "");
  // Once for each text, as kubectl.
  void warning(std::string_view text);
  // Neither an error nor a warning.
  void note(std::string_view text);

  bool has_errors() const noexcept { return has_errors_; }

 private:
  bool has_errors_ = false;
  std::set<std::string, std::less<>> warned_;
};

}  // namespace ksr::commands
