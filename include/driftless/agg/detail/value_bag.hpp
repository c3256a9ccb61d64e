// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_VALUE_BAG_HPP
#define DRIFTLESS_AGG_DETAIL_VALUE_BAG_HPP

#include <driftless/agg/detail/kept.hpp>
#include <driftless/agg/detail/sorted_bag.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>

#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {

/// Values in an order, each with how often it is there: what min, max and top_k keep of rows that may be taken back.
template <class V, class Before>
class value_bag {
    struct entry {
        kept_t<V> value;
        std::int64_t times;
    };
    struct order {
        bool operator()(entry const& a, entry const& b) const { return Before{}(a.value, b.value); }
    };
    sorted_bag<entry, order> entries_;

public:
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    /// The first value as the record had it; text points into this bag.
    [[nodiscard]] V front() const {
        DRIFTLESS_ASSERT(!empty(), "driftless: an aggregate has no result over no records");
        return V(seen<V>(entries_.front().value));
    }
    void add(V const& value, std::int64_t times = 1) {
        entry fresh{to_owned(value), times};
        if (entry* const there = entries_.find(fresh)) there->times += times;
        else entries_.insert(std::move(fresh));
    }
    /// Throws if it is not there: the caller is told that it was refused when it came.
    void take(V const& value, std::int64_t times = 1) {
        entry const like{to_owned(value), 0};
        entry* const there = entries_.find(like);
        if (there == nullptr || there->times < times)
            throw error{error_code::invalid_argument, "driftless: a value is taken back that is not there"};
        there->times -= times;
        if (there->times == 0) entries_.erase(like);
    }
    void add_all(value_bag const& other) {
        if (&other == this) return add_all(value_bag{other});
        other.entries_.each_while([this](entry const& each) {
            add(V(seen<V>(each.value)), each.times);
            return true;
        });
    }
    void take_all(value_bag const& other) {
        if (&other == this) return entries_.clear();
        other.entries_.each_while([this](entry const& each) {
            take(V(seen<V>(each.value)), each.times);
            return true;
        });
    }
    /// Calls f(value, times) in order, until it says false.
    template <class F>
    void each_while(F&& f) const {
        entries_.each_while([&](entry const& each) { return f(each.value, each.times); });
    }
    void save(auto& out) const
        requires encodable<kept_t<V>>
    {
        out.write(static_cast<std::uint64_t>(entries_.size()));
        entries_.each_while([&](entry const& each) {
            out.write(each.value).write(each.times);
            return true;
        });
    }
    void load(auto& in)
        requires encodable<kept_t<V>>
    {
        entries_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            entry fresh{};
            in.read(fresh.value).read(fresh.times);
            entries_.insert(std::move(fresh));
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
