// What ksr.hpp has in templates, so that the checks of tests/abi/wrapper compile it; used by nothing else.
#include <ksr.hpp>

#include <algorithm>
#include <iterator>
#include <type_traits>

#if __cplusplus >= 202002L
#include <ranges>
#endif

namespace {

using ksr::object_view;

static_assert(std::is_nothrow_copy_constructible_v<ksr::error> && std::is_nothrow_copy_assignable_v<ksr::error>);
static_assert(std::is_nothrow_move_constructible_v<ksr::stream> && std::is_nothrow_move_assignable_v<ksr::stream>);
static_assert(std::is_nothrow_move_constructible_v<ksr::client> && std::is_nothrow_move_constructible_v<ksr::channel>);
static_assert(std::is_nothrow_move_constructible_v<ksr::request> && std::is_nothrow_move_constructible_v<ksr::config>);
static_assert(!std::is_copy_constructible_v<ksr::stream> && !std::is_copy_assignable_v<ksr::client>);
static_assert(!std::is_copy_constructible_v<ksr::config> && !std::is_copy_constructible_v<ksr::params>);
static_assert(!std::is_copy_constructible_v<ksr::request> && !std::is_copy_constructible_v<ksr::channel>);
static_assert(std::is_nothrow_copy_constructible_v<ksr::snapshot> && std::is_nothrow_copy_assignable_v<ksr::object>);
static_assert(std::is_trivially_copyable_v<object_view> && sizeof(object_view) == sizeof(void*));
static_assert(std::is_trivially_copyable_v<ksr::stream_ref> && sizeof(ksr::stream_ref) == sizeof(void*));

template <class Iterator, class Value>
constexpr bool is_random_access =
    std::is_same_v<typename std::iterator_traits<Iterator>::iterator_category, std::random_access_iterator_tag>&&
        std::is_same_v<typename std::iterator_traits<Iterator>::value_type, Value>;
static_assert(is_random_access<ksr::snapshot::iterator, object_view>);
static_assert(is_random_access<ksr::match_range::iterator, object_view>);
static_assert(is_random_access<ksr::delta_range::iterator, ksr::delta>);

#if __cplusplus >= 202002L
static_assert(std::ranges::random_access_range<const ksr::snapshot> && std::ranges::sized_range<ksr::snapshot>);
static_assert(std::ranges::random_access_range<const ksr::delta_range>);
static_assert(std::ranges::random_access_range<const ksr::match_range>);
#endif

// What is asked of a temporary is kept.
static_assert(std::is_same_v<decltype(std::declval<ksr::snapshot>().find("", "")), ksr::object>);
static_assert(std::is_same_v<decltype(std::declval<ksr::snapshot&>().find("", "")), object_view>);
static_assert(std::is_same_v<decltype(std::declval<ksr::snapshot>()[0]), ksr::object>);
static_assert(std::is_same_v<decltype(std::declval<ksr::response>().object()), ksr::object>);

}  // namespace

namespace ksr {

template std::optional<std::string> object_view::get(const text&) const;
template std::optional<bool> object_view::get(const text&) const;
template std::optional<std::int64_t> object_view::get(const text&) const;
template std::optional<std::uint8_t> object_view::get(const text&) const;
template std::optional<double> object_view::get(const text&) const;
template std::optional<float> object_view::get(const text&) const;
template std::optional<timestamp> object_view::get(const text&) const;
template class result<int>;
template class detail::iterator<snapshot::source>;
template class detail::iterator<delta_range::source>;
template class detail::iterator<match_range::source>;

}  // namespace ksr

bool sorted(const ksr::snapshot& view);
bool sorted(const ksr::snapshot& view) {
  return std::is_sorted(view.begin(), view.end(), [](object_view a, object_view b) { return a.name() < b.name(); });
}

bool waits(const ksr::stream& stream);
bool waits(const ksr::stream& stream) {
  return !stream.wait_until([](const ksr::snapshot& view) { return view.size() > 1; }).empty();
}

#ifdef KSR_HPP_LOADED
void load(void* (*find)(const char*));
void load(void* (*find)(const char*)) {
  ksr::load_functions(find);
}
#endif
