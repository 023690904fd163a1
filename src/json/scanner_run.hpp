// The loop of Scanner; used by scanner.hpp only. Lives on the thread of its reader.
#pragma once

#include <algorithm>
#include <utility>

namespace ksr::json {

template <class Handler>
Outcome Scanner<Handler>::feed(std::string_view bytes) {
  if (outcome_ != Outcome::more || bytes.empty()) return outcome_;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  begin_ = p;
  text_begin_ = p;
  skipped_to_ = p;
  while (p != end && outcome_ == Outcome::more) {
    p = depth_ == entered_depth_ ? run<true>(p, end) : run<false>(p, end);
  }
  if (outcome_ == Outcome::more) keep_text(end);
  base_ = at(p);
  begin_ = nullptr;
  return outcome_;
}

template <class Handler>
template <bool Entered>
const char* Scanner<Handler>::run(const char* p, const char* const end) {
  for (;;) {
    if constexpr (!Entered) {
      if (end - p >= kSkipBlock && p >= skipped_to_) p = skip(p, end);
    }
    switch (state_) {
      case GrammarState::first_key:
        p = skip_space(p, end);
        if (p == end) return p;
        if (*p == '}') {
          if (!end_container<Entered>(p + 1)) return p + 1;
          ++p;
          break;
        }
        [[fallthrough]];
      case GrammarState::key:
        p = skip_space(p, end);
        if (p == end) return p;
        if (*p != '"') {
          fail_expecting(state_ == GrammarState::key ? "a key" : "a key or '}'", p);
          return p;
        }
        if constexpr (Entered) begin_text(p);
        ++p;
        string_.begin();
        state_ = GrammarState::key_text;
        [[fallthrough]];
      case GrammarState::key_text: {
        const Progress progress = string_.advance(p, end);
        if (progress == Progress::more) return p;
        if (progress == Progress::bad) {
          fail(string_.problem());
          return p;
        }
        state_ = GrammarState::colon;
        if constexpr (Entered) {
          if (!take_key(p)) return p;
        }
        [[fallthrough]];
      }
      case GrammarState::colon:
        p = skip_space(p, end);
        if (p == end) return p;
        if (*p != ':') {
          fail_expecting("':'", p);
          return p;
        }
        ++p;
        state_ = GrammarState::value;
        [[fallthrough]];
      case GrammarState::value:
        p = skip_space(p, end);
        if (p == end) return p;
        if (!begin_value<Entered>(p)) return p;
        if (Entered && depth_ != entered_depth_) return p + 1;
        // Numbers and literals read their first byte themselves.
        if (state_ != GrammarState::number && state_ != GrammarState::literal) ++p;
        if (state_ != GrammarState::string) break;
        [[fallthrough]];
      case GrammarState::string: {
        const Progress progress = string_.advance(p, end);
        if (progress == Progress::more) return p;
        if (progress == Progress::bad) {
          fail(string_.problem());
          return p;
        }
        if (!end_scalar<Entered>(p)) return p;
        if (Entered && depth_ == 0) break;
        [[fallthrough]];
      }
      case GrammarState::after:
        p = skip_space(p, end);
        if (p == end) return p;
        if (*p == ',') {
          if constexpr (Entered) {
            if (!stop_unless(handler_.on_comma(at(p)))) return p;
          }
          ++p;
          state_ = in_object_ ? GrammarState::key : GrammarState::value;
          break;
        }
        if (*p != (in_object_ ? '}' : ']')) {
          fail_expecting(in_object_ ? "',' or '}'" : "',' or ']'", p);
          return p;
        }
        ++p;
        if (!end_container<Entered>(p)) return p;
        break;
      case GrammarState::first_value:
        p = skip_space(p, end);
        if (p == end) return p;
        state_ = GrammarState::value;
        if (*p == ']') {
          ++p;
          if (!end_container<Entered>(p)) return p;
        }
        break;
      case GrammarState::number: {
        const Progress progress = number_.advance(p, end);
        if (progress == Progress::more) return p;
        if (progress == Progress::bad) {
          fail_expecting("a number", p);
          return p;
        }
        if (!end_scalar<Entered>(p)) return p;
        break;
      }
      case GrammarState::literal:
        if (!advance_literal(p, end)) return p;
        if (!end_scalar<Entered>(p)) return p;
        break;
    }
  }
}

template <class Handler>
const char* Scanner<Handler>::skip(const char* p, const char* end) {
  const std::size_t depth = depth_ - entered_depth_;
  if (depth > kMaxSkipDepth / 2 || depth_ >= max_depth_) return p;
  if (state_ == GrammarState::number || state_ == GrammarState::literal) return p;
  const bool in_string = state_ == GrammarState::string || state_ == GrammarState::key_text;
  if (in_string && !string_.resumable()) return p;
  SkipPosition at{p, state_, in_string && string_.in_escape(), static_cast<unsigned>(depth), 0, false};
  for (std::size_t level = entered_depth_; level < depth_; ++level) {
    at.containers = at.containers << 1 | static_cast<std::uint64_t>(is_object(level));
  }
  skip_blocks(at, end, static_cast<unsigned>(std::min<std::size_t>(kMaxSkipDepth, max_depth_ - entered_depth_)));
  state_ = at.state;
  if (state_ == GrammarState::string || state_ == GrammarState::key_text) string_.resume(at.in_escape);
  depth_ = entered_depth_ + at.depth;
  for (std::size_t level = entered_depth_; level < depth_; ++level) {
    set_level(level, (at.containers >> (depth_ - 1 - level) & 1) != 0);
  }
  in_object_ = (at.containers & 1) != 0;
  // Whatever it stopped at is for the careful loop.
  skipped_to_ = at.at_end ? at.p : at.p + std::min(end - at.p, kSkipBlock);
  return at.p;
}

template <class Handler>
template <bool Entered>
bool Scanner<Handler>::begin_value(const char* p) {
  ValueKind kind = ValueKind::string;
  switch (*p) {
    case '"':
      string_.begin();
      state_ = GrammarState::string;
      if constexpr (!Entered) return true;
      break;
    case '{':
      kind = ValueKind::object;
      break;
    case '[':
      kind = ValueKind::array;
      break;
    case 't':
      literal_rest_ = "true";
      kind = ValueKind::boolean;
      break;
    case 'f':
      literal_rest_ = "false";
      kind = ValueKind::boolean;
      break;
    case 'n':
      literal_rest_ = "null";
      kind = ValueKind::null;
      break;
    default:
      if (*p != '-' && !is_digit(*p)) return fail_expecting("a value", p);
      number_.begin();
      kind = ValueKind::number;
  }
  Interest interest = Interest::skip;
  if constexpr (Entered) {
    if (!stop_unless(handler_.on_value(kind, at(p), interest))) return false;
  }
  if (kind == ValueKind::object || kind == ValueKind::array) {
    if (!begin_container(kind == ValueKind::object, p)) return false;
    if (Entered && interest == Interest::enter) entered_depth_ = depth_;
    return true;
  }
  if (kind == ValueKind::number) state_ = GrammarState::number;
  if (kind == ValueKind::boolean || kind == ValueKind::null) state_ = GrammarState::literal;
  if (Entered && interest == Interest::capture) {
    begin_text(p);
    capturing_ = true;
  }
  return true;
}

template <class Handler>
void Scanner<Handler>::set_level(std::size_t level, bool object) {
  const std::size_t word = level / 64;
  if (word == levels_.size()) levels_.push_back(0);
  const std::uint64_t bit = std::uint64_t{1} << (level % 64);
  levels_[word] = object ? levels_[word] | bit : levels_[word] & ~bit;
}

template <class Handler>
bool Scanner<Handler>::begin_container(bool object, const char* p) {
  if (depth_ >= max_depth_) {
    if (depth_ - max_depth_ == kMaxSkippedDepth) return fail("nested deeper than " + std::to_string(depth_));
    if (!stop_unless(handler_.on_too_deep(at(p)))) return false;
  }
  set_level(depth_, object);
  ++depth_;
  in_object_ = object;
  state_ = object ? GrammarState::first_key : GrammarState::first_value;
  return true;
}

// False: to be gone on with in another loop, or not at all.
template <class Handler>
template <bool Entered>
bool Scanner<Handler>::end_container(const char* p) {
  --depth_;
  in_object_ = depth_ > 0 && is_object(depth_ - 1);
  state_ = depth_ > 0 ? GrammarState::after : GrammarState::value;
  if constexpr (Entered) {
    entered_depth_ = depth_;
    return stop_unless(handler_.on_leave(at(p)));
  } else {
    if (depth_ != entered_depth_) return true;
    stop_unless(handler_.on_value_end(at(p), RawText{}));
    return false;
  }
}

template <class Handler>
template <bool Entered>
bool Scanner<Handler>::end_scalar(const char* p) {
  if constexpr (Entered) {
    RawText captured;
    captured.escaped = state_ == GrammarState::string && string_.escaped();
    if (capturing_) {
      const bool escaped = captured.escaped;
      captured = end_text(p, kMaxCapture, state_ == GrammarState::string);
      captured.escaped = escaped;
      capturing_ = false;
    }
    state_ = depth_ > 0 ? GrammarState::after : GrammarState::value;
    return stop_unless(handler_.on_value_end(at(p), captured));
  } else {
    state_ = GrammarState::after;
    return true;
  }
}

template <class Handler>
bool Scanner<Handler>::advance_literal(const char*& p, const char* end) {
  for (; *literal_rest_ != '\0'; ++p, ++literal_rest_) {
    if (p == end) return false;
    if (*p != *literal_rest_) return fail_expecting("true, false or null", p);
  }
  return true;
}

template <class Handler>
bool Scanner<Handler>::take_key(const char* p) {
  RawText key = end_text(p, kMaxKey, true);
  key.escaped = string_.escaped();
  return stop_unless(handler_.on_key(key, text_at_));
}

template <class Handler>
void Scanner<Handler>::begin_text(const char* p) {
  text_begin_ = p;
  text_at_ = at(p);
  kept_text_.clear();
}

template <class Handler>
RawText Scanner<Handler>::end_text(const char* p, std::size_t max, bool quoted) {
  RawText raw;
  const std::uint64_t size = at(p) - text_at_;
  raw.overlong = size > max;
  if (raw.overlong) return raw;
  raw.text = std::string_view(text_begin_, static_cast<std::size_t>(p - text_begin_));
  if (!kept_text_.empty()) {
    kept_text_.append(raw.text);
    raw.text = kept_text_;
  }
  if (quoted) raw.text = raw.text.substr(1, raw.text.size() - 2);
  return raw;
}

template <class Handler>
void Scanner<Handler>::keep_text(const char* end) {
  const bool in_key = state_ == GrammarState::key_text && depth_ == entered_depth_;
  if (!in_key && !capturing_) return;
  if (kept_text_.size() > kMaxCapture) return;
  kept_text_.append(text_begin_, end);
}

template <class Handler>
bool Scanner<Handler>::fail(std::string problem) {
  outcome_ = Outcome::invalid;
  problem_ = std::move(problem);
  return false;
}

template <class Handler>
bool Scanner<Handler>::fail_expecting(const char* expected, const char* p) {
  return fail(std::string("expected ") + expected + ", got " + describe_byte(*p));
}

}  // namespace ksr::json
