// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_COUNT_HPP
#define DRIFTLESS_AGG_COUNT_HPP

#include <driftless/agg/function.hpp>

#include <cstdint>
#include <string_view>

namespace driftless::inline v0 {

/// What count() makes.
struct count_fn {
    static constexpr std::string_view kind = "count";
    static constexpr combine_class combines = combine_class::exact;
    /// The state is the number of records in it: who has to know it need not count them again.
    using counts_records = void;

    template <class T>
    constexpr std::int64_t init(type_of<T>) const noexcept {
        return 0;
    }
    /// In a burst nothing is left to do: how many records it had is known.
    struct burst {};
    template <class T>
    constexpr burst init_burst(type_of<T>) const noexcept {
        return {};
    }
    constexpr void add(burst&, auto const&) const noexcept {}
    constexpr void absorb(std::int64_t& into, burst const&, std::int64_t records) const noexcept { into += records; }
    constexpr std::int64_t lift(auto const&) const noexcept { return 1; }
    constexpr void add(std::int64_t& into, auto const&) const noexcept { ++into; }
    constexpr void remove(std::int64_t& from, auto const&) const noexcept { --from; }
    constexpr void combine(std::int64_t& into, std::int64_t later) const noexcept { into += later; }
    constexpr void inverse(std::int64_t& from, std::int64_t part) const noexcept { from -= part; }
    constexpr std::int64_t lower(std::int64_t of) const noexcept { return of; }
};

/// The number of records.
///
/// Shape       any T -> std::int64_t. Combine: exact. Invertible.
/// State       8 bytes.
/// Complexity  O(1) per record.
constexpr auto count() { return count_fn{}; }
}  // namespace driftless::inline v0
#endif
