#include "store/view.hpp"

namespace ksr::store {

View::View(const Index& visible, std::string_view resource_version)
    : state_(std::make_shared<const State>(visible, resource_version)) {}

View View::under(std::string_view resource_version) const {
  return state_ ? View(state_->visible, resource_version) : View();
}

std::size_t View::count() const noexcept {
  return state_ ? state_->visible.size() : 0;
}

const Object* View::at(std::size_t i) const noexcept {
  return state_ ? state_->visible.at(i) : nullptr;
}

const Object* View::find(std::string_view name_space, std::string_view name) const noexcept {
  return state_ ? state_->visible.find(name_space, name) : nullptr;
}

const Object* View::find_uid(const UidProbe& uid) const noexcept {
  return state_ ? state_->visible.find_uid(uid) : nullptr;
}

std::size_t View::index_count(std::size_t column, std::string_view value) const noexcept {
  return state_ ? state_->visible.values().count(column, value, state_->last_lookup) : 0;
}

const Object* View::index_at(std::size_t column, std::string_view value, std::size_t i) const noexcept {
  return state_ ? state_->visible.values().at(column, value, i, state_->last_lookup) : nullptr;
}

std::string_view View::resource_version() const noexcept {
  return state_ ? std::string_view(state_->resource_version) : std::string_view("");
}

}  // namespace ksr::store
