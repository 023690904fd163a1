// `Expected` is a value or the error that there is none; returned by every function that can fail. No exception crosses
// the boundary of a module.
#pragma once

#include <utility>
#include <variant>

#include "base/error.hpp"

namespace ksr {

template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : outcome_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : outcome_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return outcome_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return std::get<0>(outcome_); }
  const T& value() const& { return std::get<0>(outcome_); }
  T&& value() && { return std::get<0>(std::move(outcome_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // NULL when there is a value. Not on temporaries: the pointer would dangle.
  const Error* if_error() const& noexcept { return std::get_if<1>(&outcome_); }
  const Error* if_error() && = delete;
  const Error& error() const& { return std::get<1>(outcome_); }
  Error&& error() && { return std::get<1>(std::move(outcome_)); }

 private:
  std::variant<T, Error> outcome_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : outcome_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return outcome_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  const Error* if_error() const& noexcept { return std::get_if<1>(&outcome_); }
  const Error* if_error() && = delete;
  const Error& error() const& { return std::get<1>(outcome_); }
  Error&& error() && { return std::get<1>(std::move(outcome_)); }

 private:
  std::variant<std::monostate, Error> outcome_;
};

}  // namespace ksr
