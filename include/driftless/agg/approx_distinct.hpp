// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_APPROX_DISTINCT_HPP
#define DRIFTLESS_AGG_APPROX_DISTINCT_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/projection.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// XXH3-64, seed 0, of the canonical key bytes: also for integers.
template <canonical_key V>
std::uint64_t key_xxh3(V const& value) {
    if constexpr (shape_of<V> == value_shape::text) {
        return xxh3_64(value.data(), value.size());
    } else if constexpr (fixed_key_size<V>() <= 256) {
        char bytes[fixed_key_size<V>() + 1];  // + 1: an empty key still needs an array
        put_key_raw(bytes, value);
        return xxh3_64(bytes, fixed_key_size<V>());
    } else {
        hash_key_sink sink;
        put_key(sink, value);
        return sink.value();
    }
}

/// A HyperLogLog of 2^12 registers; up to 256 values the hashes themselves.
///
/// Which of the two it is depends on the values alone: so combine is exact, to the byte.
class hyper_log_log {
    static constexpr int precision = 12;
    static constexpr std::size_t registers = std::size_t{1} << precision;
    static constexpr int ranks = 64 - precision;  // the greatest rank is one more: no bit is set
    static constexpr std::size_t few = 256;

    std::vector<std::uint64_t> hashes_;  // ascending
    std::vector<std::uint8_t> ranks_;    // none while values are few

public:
    DRIFTLESS_INLINE void add(std::uint64_t hash) {
        if (!ranks_.empty()) return put(hash);
        add_to_few(hash);
    }
    void add(hyper_log_log const& other) {
        if (other.ranks_.empty()) {
            for (std::size_t i = 0, n = other.hashes_.size(); i < n; ++i) add(other.hashes_[i]);
            return;
        }
        if (ranks_.empty()) become_many();
        for (std::size_t i = 0; i < registers; ++i) {
            if (ranks_[i] < other.ranks_[i]) ranks_[i] = other.ranks_[i];
        }
    }
    [[nodiscard]] std::int64_t estimate() const {
        if (ranks_.empty()) return static_cast<std::int64_t>(hashes_.size());
        std::uint32_t of[ranks + 2] = {};
        for (auto const rank : ranks_) ++of[rank];
        constexpr auto m = static_cast<double>(registers);
        double z = m * tau(1 - of[ranks + 1] / m);
        for (int k = ranks; k >= 1; --k) z = 0.5 * (z + of[k]);
        z += m * sigma(of[0] / m);
        constexpr double alpha = 0.7213475204444817;  // 1 / (2 ln 2)
        // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not negative
        return static_cast<std::int64_t>(alpha * m * m / z + 0.5);
    }
    void save(auto& out) const { out.write(hashes_).write(ranks_); }
    void load(auto& in) {
        in.read(hashes_).read(ranks_);
        if (!ranks_.empty() && ranks_.size() != registers) in.fail("a HyperLogLog has another number of registers");
        for (auto const rank : ranks_) {
            if (rank > ranks + 1) in.fail("a register of a HyperLogLog is beyond the greatest rank");
        }
    }

private:
    void put(std::uint64_t hash) noexcept {
        auto const index = static_cast<std::size_t>(hash >> ranks);
        auto const rank = static_cast<std::uint8_t>(
            std::countl_zero(hash << precision | std::uint64_t{1} << (precision - 1)) + 1);
        if (ranks_[index] < rank) ranks_[index] = rank;
    }
    DRIFTLESS_NOINLINE void add_to_few(std::uint64_t hash) {
        std::size_t low = 0;
        std::size_t high = hashes_.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (hashes_[middle] < hash) low = middle + 1;
            else high = middle;
        }
        if (low < hashes_.size() && hashes_[low] == hash) return;
        if (hashes_.size() == few) {
            become_many();
            return put(hash);
        }
        hashes_.insert(hashes_.begin() + static_cast<std::ptrdiff_t>(low), hash);
    }
    void become_many() {
        ranks_.assign(registers, 0);
        for (auto const each : hashes_) put(each);
        hashes_ = {};
    }
    static double sigma(double x) noexcept {
        if (x == 1) return std::numeric_limits<double>::infinity();
        double y = 1;
        double z = x;
        for (double before = -1; z != before; y += y) {
            x *= x;
            before = z;
            z += x * y;
        }
        return z;
    }
    static double tau(double x) noexcept {
        if (x == 0 || x == 1) return 0;
        double y = 1;
        double z = 1 - x;
        for (double before = -1; z != before;) {
            x = __builtin_sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        return z / 3;
    }
};
}  // namespace detail

/// What approx_distinct() makes.
template <class Projection>
struct approx_distinct_fn {
    static constexpr std::string_view kind = "approx_distinct";
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<Projection, T>) return canonical_key<detail::projected_t<Projection, T>>;
        else return false;
    }();
    template <class T>
        requires fits<T>
    detail::hyper_log_log init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires fits<T>
    detail::hyper_log_log lift(T const& record) const {
        detail::hyper_log_log one;
        add(one, record);
        return one;
    }
    template <class T>
        requires fits<T>
    DRIFTLESS_INLINE void add(detail::hyper_log_log& into, T const& record) const {
        into.add(detail::key_xxh3<detail::projected_t<Projection, T>>(of(record)));
    }
    void combine(detail::hyper_log_log& into, detail::hyper_log_log const& later) const { into.add(later); }
    std::int64_t lower(detail::hyper_log_log const& of_all) const { return of_all.estimate(); }
};

/// The number of distinct values of a member, about.
///
/// Shape       any canonical key -> std::int64_t: exact up to 256 values (but for collisions of 64-bit hashes), then
///             with a standard error of 1.04 / sqrt(4096) = 1.6 %. Values are the same if their canonical key bytes
///             are. Combine: exact: the same values give the same state and answer, whatever their order and parts. Not
///             invertible.
/// State       8 bytes per value up to 256 of them, then 4 KiB.
/// Errors      std::bad_alloc.
/// Complexity  O(bytes of the value) per record; O(256) for a new one of the first 256.
/// Source      P. Flajolet et al., "HyperLogLog" (2007); the estimator, and 1 / (2 ln 2) in it: O. Ertl, "New
///             cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6. Hash: XXH3-64.
template <auto Member>
constexpr auto approx_distinct() {
    return approx_distinct_fn<detail::member_projection<Member>>{};
}
/// Of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto approx_distinct(F function) {
    return approx_distinct_fn<decltype(detail::make_projection(function))>{
        detail::make_projection(std::move(function))};
}
/// Of the records themselves.
constexpr auto approx_distinct() { return approx_distinct_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
