// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_SAMPLE_HPP
#define DRIFTLESS_AGG_SAMPLE_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/projection.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// The k values with the least hash, encoded, in the order of their hash.
class least_hashes {
    struct drawn {
        std::uint64_t hash;
        std::string bytes;

        void save(auto& out) const { out.write(hash).write(bytes); }
        void load(auto& in) { in.read(hash).read(bytes); }
        friend bool operator<(drawn const& a, drawn const& b) {
            return a.hash != b.hash ? a.hash < b.hash : a.bytes < b.bytes;
        }
    };
    std::vector<drawn> all_;

public:
    template <class V>
    void offer(V const& value, std::size_t k, std::uint64_t seed) {
        std::string bytes;
        byte_writer{bytes}.write(value);
        auto const hash = xxh3_64(bytes.data(), bytes.size(), seed);
        put({hash, std::move(bytes)}, k);
    }
    void add(least_hashes const& other, std::size_t k) {
        for (std::size_t i = 0, n = other.all_.size(); i < n; ++i) put(drawn{other.all_[i]}, k);
    }
    template <class V>
    [[nodiscard]] std::vector<V> list() const {
        std::vector<V> out;
        out.reserve(all_.size());
        for (auto const& each : all_) {
            byte_reader in{each.bytes};
            out.push_back(in.template read<V>());
        }
        return out;
    }
    void save(auto& out) const { out.write(all_); }
    void load(auto& in) { in.read(all_); }

private:
    void put(drawn fresh, std::size_t k) {
        if (all_.size() >= k && (k == 0 || !(fresh < all_.back()))) return;
        std::size_t low = 0;
        std::size_t high = all_.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (all_[middle] < fresh) low = middle + 1;
            else high = middle;
        }
        if (low < all_.size() && !(fresh < all_[low])) return;  // it is there
        all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(low), std::move(fresh));
        if (all_.size() > k) all_.pop_back();
    }
};
/// The state of a sample of values V.
template <class V>
struct sampled : least_hashes {};
}  // namespace detail

/// What sample() makes.
template <class Projection>
struct sample_fn {
    static constexpr std::string_view kind = "sample";
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;
    std::size_t k;
    std::uint64_t seed;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<Projection, T>) return encodable<value_t<T>>;
        else return false;
    }();
    template <class T>
        requires fits<T>
    detail::sampled<value_t<T>> init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires fits<T>
    auto lift(T const& record) const {
        detail::sampled<value_t<T>> one;
        add(one, record);
        return one;
    }
    template <class V, class T>
    void add(detail::sampled<V>& into, T const& record) const {
        into.template offer<V>(of(record), k, seed);
    }
    template <class V>
    void combine(detail::sampled<V>& into, detail::sampled<V> const& later) const {
        into.add(later, k);
    }
    template <class V>
    std::vector<V> lower(detail::sampled<V> const& of_all) const {
        return of_all.template list<V>();
    }
    constexpr void describe(auto&& parameter) const {
        parameter("k", std::uint64_t{k});
        parameter("seed", seed);
    }
};

/// k values of a member, drawn at random: the same ones for the same values and seed. `sample<&T::m>(100, seed)`.
///
/// Shape       any T with a codec -> std::vector of the member's type, or of T, of at most k; in the order in which
///             they were drawn. Values that are equal are one value: it is the distinct ones that are drawn from, each
///             with the same chance. Combine: exact. Not invertible. Text in it points into the state: it is for the
///             push that follows.
/// State       k values, encoded, with a hash of 8 bytes each.
/// Errors      Compile time: values without a codec. Run time: std::bad_alloc.
/// Complexity  One encoding and hash per record; O(k) moves where it is drawn, which becomes rare.
/// Source      E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches" (2007); hash: XXH3-64, seeded.
template <auto Member>
constexpr auto sample(std::size_t k, std::uint64_t seed = 0) {
    return sample_fn<detail::member_projection<Member>>{{}, k, seed};
}
/// Of the records themselves.
constexpr auto sample(std::size_t k, std::uint64_t seed = 0) { return sample_fn<detail::itself>{{}, k, seed}; }
/// Of a function of the record, or of a run-time member pointer: sample(f, k, seed).
template <class F>
    requires(!std::is_arithmetic_v<F>)
constexpr auto sample(F function, std::size_t k, std::uint64_t seed = 0) {
    return sample_fn<decltype(detail::make_projection(function))>{
        detail::make_projection(std::move(function)), k, seed};
}
}  // namespace driftless::inline v0
#endif
