#include "base/secrets.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.hpp"
#include "base/escapes.hpp"
#include "base/text.hpp"

namespace ksr {
namespace {

// So many successive characters of a secret are no coincidence.
constexpr std::size_t kMinPart = 12;
// A shorter secret is blanked as a word alone: it may be a part of many words.
constexpr std::size_t kMinInsideWord = 6;
constexpr std::size_t kIndexedSize = 4;
constexpr std::size_t kMaxFetched = 16;
constexpr std::string_view kCut = "...";
// So many kinds of escape sequences within each other are looked into, in texts up to that size; in longer ones, one.
constexpr int kLayers = 3;
constexpr std::size_t kMaxNested = std::size_t{64} * 1024;
// Shorter runs are words; a slash ends a run, so that paths stay.
constexpr std::size_t kMinLikelySecret = 28;
constexpr std::size_t kMinConfusedSecret = 20;

std::size_t bit_of(std::string_view text) noexcept {
  std::uint32_t hash = 0;
  for (const char c : text.substr(0, kIndexedSize)) hash = hash * 37 + static_cast<unsigned char>(c);
  return (hash ^ (hash >> 16)) & 0xffff;
}

bool is_word_character(char c) noexcept {
  return is_alphanumeric(c) || c == '_';
}

bool is_whole_word(std::string_view text, std::size_t at, std::size_t size) noexcept {
  return (at == 0 || !is_word_character(text[at - 1])) &&
         (at + size == text.size() || !is_word_character(text[at + size]));
}

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first - a.begin());
}

// How many characters of `text` at `at` are `secret`, or a part of it.
std::size_t matched(std::string_view text, std::size_t at, std::string_view secret) noexcept {
  const std::string_view rest = text.substr(at);
  const std::size_t size = common_prefix(rest, secret);
  if (size == secret.size() && (size >= kMinInsideWord || is_whole_word(text, at, size))) return size;
  const bool cut = size == rest.size() || rest.substr(size, kCut.size()) == kCut;
  std::size_t longest = cut && size >= kMinInsideWord ? size : 0;
  if (rest.size() < kMinPart || secret.size() < kMinPart) return longest;
  const std::string_view part = rest.substr(0, kMinPart);
  for (std::size_t found = secret.find(part); found != std::string_view::npos; found = secret.find(part, found + 1)) {
    longest = std::max(longest, common_prefix(rest, secret.substr(found)));
  }
  return longest;
}

using Begins = std::bitset<std::size_t{1} << 16>;

void mark(Begins& begins, const std::vector<std::string>& forms) {
  for (const std::string_view form : forms) {
    const std::size_t last = form.size() < kMinPart ? 0 : form.size() - kMinPart;
    for (std::size_t at = 0; at <= last; ++at) begins.set(bit_of(form.substr(at)));
  }
}

std::size_t longest_match(const std::vector<std::string>& forms, std::string_view text, std::size_t at,
                          bool may_begin) {
  std::size_t longest = 0;
  for (const std::string_view form : forms) {
    // What is shorter than the index has no place of its own in it.
    if (form.size() < kIndexedSize || may_begin) longest = std::max(longest, matched(text, at, form));
  }
  return longest;
}

// The characters of base64, of JWTs and of most other encodings.
bool may_be_secret(char c) noexcept {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~=").find(c) != std::string_view::npos;
}

bool has_digit(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), is_digit);
}

// Letters and digits without a separator, as no one names things.
bool has_mixed_run(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_alphanumeric);
    const std::string_view run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (run.size() >= kMinConfusedSecret && has_digit(run) && std::any_of(run.begin(), run.end(), is_lower) &&
        std::any_of(run.begin(), run.end(), is_upper)) {
      return true;
    }
    text.remove_prefix(std::min(run.size() + 1, text.size()));
  }
  return false;
}

bool announces_secret(std::string_view word, std::string_view between, std::string_view next) {
  const std::string_view gap = trimmed(between);
  if (gap.empty()) {
    return (equal_ignoring_case(word, "bearer") || equal_ignoring_case(word, "basic")) && has_digit(next);
  }
  const bool quoted = gap.back() == '"' && gap.find(':') != std::string_view::npos;
  // "no token: run the login again" is a sentence.
  return names_secret(word) && (quoted || (gap == ":" && has_digit(next)));
}

// Of the URL that the text begins with; 0: it begins with something else.
std::size_t url_size(std::string_view text) {
  const std::string scheme = lower_case(text.substr(0, 8));
  if (scheme.rfind("http://", 0) != 0 && scheme != "https://") return 0;
  return std::min(text.find_first_of(" \t\r\n\"'<>"), text.size());
}

// What a person is asked to open stays, but for parameters that are secrets by their names, passwords, and JWTs.
std::string url_without_secrets(std::string_view url) {
  std::string shown;
  while (!url.empty()) {
    const std::size_t end = std::min(url.find_first_of("/?&#;@"), url.size());
    const std::string_view part = url.substr(0, end);
    const std::size_t equals = part.find('=');
    if (end < url.size() && url[end] == '@') {
      shown += kBlankedSecret;
    } else if (equals != std::string_view::npos && names_secret(part.substr(0, equals))) {
      shown += part.substr(0, equals + 1);
      shown += kBlankedSecret;
    } else {
      shown += part.find("eyJ") != std::string_view::npos && part.size() >= kMinConfusedSecret ? kBlankedSecret : part;
    }
    shown += url.substr(end, 1);
    url.remove_prefix(std::min(end + 1, url.size()));
  }
  return shown;
}

}  // namespace

void Secrets::add(std::string_view secret) {
  Forms forms = forms_of(secret);
  const MutexLock lock(secrets_mutex_);
  constant_.insert(constant_.end(), std::make_move_iterator(forms.begin()), std::make_move_iterator(forms.end()));
  index();
}

void Secrets::add_fetched(std::string_view secret) {
  Forms forms = forms_of(secret);
  if (forms.empty()) return;
  const MutexLock lock(secrets_mutex_);
  if (std::find(fetched_.begin(), fetched_.end(), forms) != fetched_.end()) return;
  fetched_.push_back(std::move(forms));
  if (fetched_.size() > kMaxFetched) fetched_.pop_front();
  index();
}

Secrets::Forms Secrets::forms_of(std::string_view secret) {
  Forms forms;
  const auto add = [&forms](std::string_view form) {
    std::string lower = lower_case(trimmed(form));
    if (!lower.empty() && std::find(forms.begin(), forms.end(), lower) == forms.end())
      forms.push_back(std::move(lower));
  };
  const std::string_view whole = trimmed(secret);
  if (whole.find("-----BEGIN ") != std::string_view::npos) {
    for (const std::string_view line : split(whole, '\n')) {
      if (line.size() >= kMinPart && line.substr(0, 5) != "-----") add(line);
    }
    add(base64_encode(secret));
    return forms;
  }
  add(whole);
  add(base64_encode(whole));
  add(base64url_encode(whole));
  // As in_quotes() has it.
  std::string quoted(whole);
  std::replace(quoted.begin(), quoted.end(), '"', '?');
  add(quoted);
  return forms;
}

void Secrets::index() {
  begins_.reset();
  mark(begins_, constant_);
  for (const Forms& forms : fetched_) mark(begins_, forms);
}

std::size_t Secrets::match(std::string_view text, std::size_t at) const {
  const bool may_begin = begins_.test(bit_of(text.substr(at)));
  std::size_t longest = longest_match(constant_, text, at, may_begin);
  for (const Forms& forms : fetched_) longest = std::max(longest, longest_match(forms, text, at, may_begin));
  return longest;
}

void Secrets::find(std::string_view text, const std::vector<std::size_t>* places, std::vector<Range>& found) const {
  const std::string lower = lower_case(text);
  for (std::size_t at = 0; at < lower.size();) {
    const std::size_t size = match(lower, at);
    if (size > 0) found.emplace_back(places ? (*places)[at] : at, places ? (*places)[at + size] : at + size);
    at += std::max<std::size_t>(size, 1);
  }
}

// An answer may be quoted in another one: JSON in JSON, a URL in HTML.
void Secrets::find_escaped(std::string_view text, const std::vector<std::size_t>* places, int layers,
                           std::vector<Range>& found) const {
  for (const Escaping kind : {Escaping::json, Escaping::html, Escaping::percent}) {
    if (!may_have_escapes(text, kind)) continue;
    UnescapedText inner = unescaped(text, kind);
    if (inner.text.size() == text.size()) continue;
    if (places != nullptr) {
      for (std::size_t& place : inner.places) place = (*places)[place];
    }
    find(inner.text, &inner.places, found);
    if (layers > 1 && text.size() <= kMaxNested) find_escaped(inner.text, &inner.places, layers - 1, found);
  }
}

std::string Secrets::blanked(std::string_view text) const {
  std::vector<Range> found;
  {
    const MutexLock lock(secrets_mutex_);
    if (begins_.none()) return std::string(text);
    find(text, nullptr, found);
    find_escaped(text, nullptr, kLayers, found);
  }
  std::sort(found.begin(), found.end());
  std::string shown;
  std::size_t at = 0;
  for (const auto& [begin, end] : found) {
    if (end <= at) continue;
    if (begin > at) shown += text.substr(at, begin - at);
    const bool goes_on =
        shown.size() >= kBlankedSecret.size() &&
        shown.compare(shown.size() - kBlankedSecret.size(), kBlankedSecret.size(), kBlankedSecret) == 0;
    if (!goes_on) shown += kBlankedSecret;
    at = end;
  }
  return shown += text.substr(at);
}

Error Secrets::blanked(Error error) const {
  error.message = blanked(error.message);
  error.reason = blanked(error.reason);
  error.details = blanked(error.details);
  return error;
}

bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords{"token",      "secret", "password",     "passwd",
                                                   "credential", "apikey", "authorization"};
  const std::string lower = lower_case(name);
  return lower == "key" ||
         (lower.size() > 4 && (lower.rfind("_key") == lower.size() - 4 || lower.rfind("-key") == lower.size() - 4)) ||
         std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string without_likely_secrets(std::string_view text) {
  std::string shown;
  std::string_view word;
  std::string_view between;
  while (!text.empty()) {
    if (const std::size_t size = url_size(text); size > 0) {
      shown += url_without_secrets(text.substr(0, size));
      text.remove_prefix(size);
      word = between = {};
      continue;
    }
    const auto run_end = std::find_if_not(text.begin(), text.end(), may_be_secret);
    const std::string_view run = text.substr(0, static_cast<std::size_t>(run_end - text.begin()));
    const std::size_t equals = run.find('=');
    if (run.size() >= kMinLikelySecret || (!run.empty() && announces_secret(word, between, run))) {
      shown += kBlankedSecret;
    } else if (equals != std::string_view::npos && names_secret(run.substr(0, equals))) {
      shown += run.substr(0, equals + 1);
      shown += kBlankedSecret;
    } else {
      shown += run;
    }
    if (!run.empty()) word = run;
    text.remove_prefix(run.size());
    const auto gap_end = std::find_if(text.begin(), text.end(), may_be_secret);
    between = text.substr(0, static_cast<std::size_t>(gap_end - text.begin()));
    shown += between;
    text.remove_prefix(between.size());
  }
  return shown;
}

std::string without_confused_secret(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("/:@ \t\r\n\"'"), text.size());
    const std::string_view part = text.substr(0, end);
    const bool jwt = part.substr(0, 3) == "eyJ" && part.size() >= kMinConfusedSecret;
    const bool mixed = has_mixed_run(part);
    shown += jwt || mixed ? kBlankedSecret : part;
    shown += text.substr(end, 1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return shown;
}

}  // namespace ksr
