// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_COLLECT_HPP
#define DRIFTLESS_AGG_COLLECT_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/projection.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// Values in order: as they are, or encoded one behind the other where there is text in them.
template <class V>
class collected {
    static constexpr bool as_is = !has_text<V>;
    struct encoded {
        std::string bytes;
        std::uint64_t count = 0;
    };
    std::conditional_t<as_is, std::vector<V>, encoded> values_{};

public:
    void add(V const& value) {
        if constexpr (as_is) {
            values_.push_back(value);
        } else {
            auto const size = values_.bytes.size();
            try {
                byte_writer{values_.bytes}.write(value);
            } catch (...) {
                values_.bytes.resize(size);
                throw;
            }
            ++values_.count;
        }
    }
    void add_all(collected const& later) {
        if constexpr (as_is) {
            values_.reserve(values_.size() + later.values_.size());
            for (std::size_t i = 0, n = later.values_.size(); i < n; ++i) values_.push_back(later.values_[i]);
        } else {
            values_.bytes += later.values_.bytes;
            values_.count += later.values_.count;
        }
    }
    /// Text in it points into this object.
    [[nodiscard]] std::vector<V> list() const {
        if constexpr (as_is) {
            return values_;
        } else {
            std::vector<V> out;
            out.reserve(static_cast<std::size_t>(values_.count));
            byte_reader in{values_.bytes};
            for (std::uint64_t i = 0; i < values_.count; ++i) out.push_back(in.template read<V>());
            return out;
        }
    }
    void save(auto& out) const
        requires encodable<V>
    {
        if constexpr (as_is) out.write(values_);
        else out.write(values_.count).write(values_.bytes);
    }
    void load(auto& in)
        requires encodable<V>
    {
        if constexpr (as_is) in.read(values_);
        else in.read(values_.count).read(values_.bytes);
    }
};
}  // namespace detail

/// What collect() makes.
template <class Projection>
struct collect_fn {
    static constexpr std::string_view kind = "collect";
    static constexpr combine_class combines = combine_class::ordered;
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;

    template <class T>
        requires detail::projects<Projection, T> && (!has_text<value_t<T>> || encodable<value_t<T>>)
    auto init(type_of<T>) const noexcept {
        return detail::collected<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && (!has_text<value_t<T>> || encodable<value_t<T>>)
    auto lift(T const& record) const {
        detail::collected<value_t<T>> one;
        one.add(of(record));
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE void add(detail::collected<V>& into, T const& record) const {
        into.add(of(record));
    }
    template <class V>
    void combine(detail::collected<V>& into, detail::collected<V> const& later) const {
        into.add_all(later);
    }
    template <class V>
    std::vector<V> lower(detail::collected<V> const& of_all) const {
        return of_all.list();
    }
};

/// All values of a member, in the order of the log.
///
/// Shape       any T -> std::vector of the member's type, or of T. Combine: ordered. Not invertible: a row that is
///             corrected has no place in the log. Text in it points into the state: it is for the push that follows.
/// State       The values; those with text encoded, one behind the other. It grows with the records of a group.
/// Errors      Compile time: a value with text and without codec. Run time: std::bad_alloc.
/// Complexity  Amortised O(1) per record, O(values) per result.
template <auto Member>
constexpr auto collect() {
    return collect_fn<detail::member_projection<Member>>{};
}
/// All values of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto collect(F function) {
    return collect_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function))};
}
/// The records themselves.
constexpr auto collect() { return collect_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
