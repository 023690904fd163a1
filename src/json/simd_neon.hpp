// simd.hpp for AArch64, where every machine has NEON. Any thread.
#pragma once

#if defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#define KSR_JSON_SIMD 1
#define KSR_JSON_ISA neon

namespace ksr::json {
inline namespace KSR_JSON_ISA {

struct ByteVector {
  static constexpr std::ptrdiff_t kSize = 16;
  using Register = uint8x16_t;
  // Four bits for each byte: NEON has no instruction that takes one of each.
  using Marks = std::uint64_t;
  static constexpr Marks kAll = ~Marks{0};

  static Register load(const char* p) noexcept { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static Register all(char c) noexcept { return vdupq_n_u8(static_cast<std::uint8_t>(c)); }
  static Register either(Register a, Register b) noexcept { return vorrq_u8(a, b); }
  static Register equal(Register a, Register b) noexcept { return vceqq_u8(a, b); }
  // As signed numbers.
  static Register above(Register a, Register b) noexcept {
    return vcgtq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b));
  }
  // Shifted right by four and narrowed, each pair of bytes leaves half of either.
  static Marks marks(Register a) noexcept {
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(a), 4)), 0);
  }
  static unsigned first(Marks marks) noexcept { return static_cast<unsigned>(__builtin_ctzll(marks)) / 4; }
};

struct ByteBlock {
  static constexpr unsigned kSize = 64;
  using Register = uint8x16x4_t;

  static Register load(const char* p) noexcept { return vld1q_u8_x4(reinterpret_cast<const std::uint8_t*>(p)); }
  static Register all(char c) noexcept {
    const uint8x16_t part = ByteVector::all(c);
    return {{part, part, part, part}};
  }
  static Register either(Register a, Register b) noexcept {
    return {{vorrq_u8(a.val[0], b.val[0]), vorrq_u8(a.val[1], b.val[1]), vorrq_u8(a.val[2], b.val[2]),
             vorrq_u8(a.val[3], b.val[3])}};
  }
  static Register equal(Register a, Register b) noexcept {
    return {{vceqq_u8(a.val[0], b.val[0]), vceqq_u8(a.val[1], b.val[1]), vceqq_u8(a.val[2], b.val[2]),
             vceqq_u8(a.val[3], b.val[3])}};
  }
  static Register above(Register a, Register b) noexcept {
    return {{ByteVector::above(a.val[0], b.val[0]), ByteVector::above(a.val[1], b.val[1]),
             ByteVector::above(a.val[2], b.val[2]), ByteVector::above(a.val[3], b.val[3])}};
  }
  static Register has_bit_5(Register a) noexcept {
    const uint8x16_t bit = ByteVector::all(0x20);
    return {{vtstq_u8(a.val[0], bit), vtstq_u8(a.val[1], bit), vtstq_u8(a.val[2], bit), vtstq_u8(a.val[3], bit)}};
  }
  // Each byte keeps the bit of its place among eight; adding neighbours three times makes a byte of each eight.
  static std::uint64_t bits(Register a) noexcept {
    alignas(16) static constexpr std::uint8_t kPlaces[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t places = vld1q_u8(kPlaces);
    const uint8x16_t low = vpaddq_u8(vandq_u8(a.val[0], places), vandq_u8(a.val[1], places));
    const uint8x16_t high = vpaddq_u8(vandq_u8(a.val[2], places), vandq_u8(a.val[3], places));
    const uint8x16_t sums = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)), 0);
  }
};

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

#endif
