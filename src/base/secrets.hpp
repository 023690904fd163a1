// `Secrets` removes a connection's own secrets from text that came from outside, `without_likely_secrets` what looks
// like one; used where errors and log lines are made of the words of servers, proxies and plugins. Any thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/mutex.hpp"

namespace ksr {

// What stands in a text for a secret.
inline constexpr std::string_view kBlankedSecret = "***";

// The secrets of one connection: tokens, passwords, keys. A peer may repeat them whole or in part, in other case, as
// base64, percent-encoded, and with escape sequences of JSON or HTML for any of their characters.
class Secrets {
 public:
  // A secret that the connection has as long as it exists. PEM is taken line by line.
  void add(std::string_view secret);
  // One that was fetched and will be replaced: the newest of them are remembered, since an old one may be valid still.
  void add_fetched(std::string_view secret);

  // `text` with kBlankedSecret in place of each secret, of 12 or more successive characters of one, and of the
  // beginning of one at the end of the text, where it may have been cut.
  std::string blanked(std::string_view text) const;
  // The same for what an error repeats of others: its message, reason and details.
  Error blanked(Error error) const;

 private:
  // In lower case.
  using Forms = std::vector<std::string>;

  // A part of a text: where it begins and ends.
  using Range = std::pair<std::size_t, std::size_t>;

  static Forms forms_of(std::string_view secret);
  void index() KSR_REQUIRES(secrets_mutex_);
  std::size_t match(std::string_view text, std::size_t at) const KSR_REQUIRES(secrets_mutex_);
  // Adds where `text` has secrets. `places`, unless it is null, says where each byte stands in the text that counts.
  void find(std::string_view text, const std::vector<std::size_t>* places, std::vector<Range>& found) const
      KSR_REQUIRES(secrets_mutex_);
  void find_escaped(std::string_view text, const std::vector<std::size_t>* places, int layers,
                    std::vector<Range>& found) const KSR_REQUIRES(secrets_mutex_);

  mutable Mutex secrets_mutex_;
  Forms constant_ KSR_GUARDED_BY(secrets_mutex_);
  std::deque<Forms> fetched_ KSR_GUARDED_BY(secrets_mutex_);
  // Of the characters that a match may begin with: a look here decides most places of a text.
  std::bitset<std::size_t{1} << 16> begins_ KSR_GUARDED_BY(secrets_mutex_);
};

// The name of a variable, flag or field says that its value is a secret: "AWS_SECRET_ACCESS_KEY", "--client-secret".
bool names_secret(std::string_view name);

// For words of a program or server whose secrets are not known: kBlankedSecret for each run of 28 or more characters of
// base64, JWTs and the like, and for what follows "token:", "password=" or "Bearer ". Paths and URLs stay.
std::string without_likely_secrets(std::string_view text);

// For a path, a name or another value that a message repeats, where a token or key may stand by mistake: kBlankedSecret
// for a JWT, and for what has 20 or more letters and digits in a row, of both cases. Ordinary names stay.
std::string without_confused_secret(std::string_view text);

}  // namespace ksr
