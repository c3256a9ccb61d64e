// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_KEYED_STATE_HPP
#define DRIFTLESS_STATE_KEYED_STATE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// What the state of a process function is made of: plain values that are saved by codec and know when they were last
// updated. The operator stamps them behind each call of the function, and clears them when their time has come.

namespace driftless::inline v0 {

/// State that stays until it is reset, or its window closes.
struct for_ever {
    static constexpr duration value = duration::max();
};
/// State that is kept while watermark < last update + so many nanoseconds: `value_state<T, time_to_live<(24_h).ns()>>`.
/// The last update is the greatest event time of a record, or time of a timer, whose callback updated it.
template <std::int64_t Nanoseconds>
struct time_to_live {
    static_assert(Nanoseconds > 0, "driftless: time_to_live needs a time > 0: write time_to_live<(24_h).ns()>");
    static constexpr duration value{Nanoseconds};
};

namespace detail {
/// When a member was updated, where somebody asks.
template <class Ttl>
class last_update {
    event_time at_ = event_time::min();
    bool fresh_ = false;

protected:
    void touch() noexcept { fresh_ = true; }
    void save_update(auto& out) const { out.write(at_); }
    void load_update(auto& in) {
        in.read(at_);
        fresh_ = false;
    }

public:
    static constexpr bool expires = true;
    /// What has been updated since the last call was at `now`.
    void settle(event_time now) noexcept {
        if (!std::exchange(fresh_, false)) return;
        if (at_ < now) at_ = now;
    }
    /// The watermark at which it goes.
    [[nodiscard]] event_time expiry() const noexcept { return at_ + Ttl::value; }
    void forget_update() noexcept { at_ = event_time::min(); }
};
template <>
class last_update<for_ever> {
protected:
    void touch() const noexcept {}
    void save_update(auto&) const noexcept {}
    void load_update(auto&) const noexcept {}

public:
    static constexpr bool expires = false;
    void forget_update() const noexcept {}
};
}  // namespace detail

/// One value, or none.
///
/// State       What is not const counts as an update: `*count += 1`, `count = 7`; read by value_or, has_value, or
///             through a const reference.
template <class T, class Ttl = for_ever>
class value_state : public detail::last_update<Ttl> {
    std::optional<T> value_{};

public:
    using is_keyed_state = void;

    value_state& operator=(T value) {
        value_ = std::move(value);
        this->touch();
        return *this;
    }
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return value_.has_value(); }
    [[nodiscard]] T& operator*() noexcept {
        this->touch();
        return *value_;
    }
    [[nodiscard]] T const& operator*() const noexcept { return *value_; }
    [[nodiscard]] T* operator->() noexcept { return &**this; }
    [[nodiscard]] T const* operator->() const noexcept { return &*value_; }
    [[nodiscard]] T value_or(T other) const { return value_ ? *value_ : std::move(other); }
    void reset() noexcept {
        value_.reset();
        this->forget_update();
    }

    /// For the operator.
    [[nodiscard]] bool empty() const noexcept { return !value_.has_value(); }
    void save(auto& out) const {
        out.write(value_);
        this->save_update(out);
    }
    void load(auto& in) {
        in.read(value_);
        this->load_update(in);
    }
};

/// Values in the order in which they were added.
template <class T, class Ttl = for_ever>
class list_state : public detail::last_update<Ttl> {
    std::vector<T> all_{};

public:
    using is_keyed_state = void;

    void push_back(T value) {
        all_.push_back(std::move(value));
        this->touch();
    }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return all_.begin(); }
    [[nodiscard]] auto end() const noexcept { return all_.end(); }
    [[nodiscard]] T const& operator[](std::size_t i) const noexcept { return all_[i]; }
    /// Takes out what the predicate says; the others keep their order. Not an update.
    template <class Predicate>
    void erase_if(Predicate gone) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (gone(std::as_const(all_[i]))) continue;
            if (kept != i) all_[kept] = std::move(all_[i]);
            ++kept;
        }
        all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(kept), all_.end());
    }
    void reset() noexcept {
        all_.clear();
        this->forget_update();
    }

    void save(auto& out) const {
        out.write(all_);
        this->save_update(out);
    }
    void load(auto& in) {
        in.read(all_);
        this->load_update(in);
    }
};

/// Values put together as they come: add(x) makes it `F{}(value, x)`, the first is taken as it is.
template <class T, class F, class Ttl = for_ever>
class reducing_state : public detail::last_update<Ttl> {
    std::optional<T> value_{};

public:
    using is_keyed_state = void;

    void add(T value) {
        if (value_) value_ = F{}(std::move(*value_), std::move(value));
        else value_ = std::move(value);
        this->touch();
    }
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return value_.has_value(); }
    [[nodiscard]] T const& operator*() const noexcept { return *value_; }
    [[nodiscard]] T value_or(T other) const { return value_ ? *value_ : std::move(other); }
    void reset() noexcept {
        value_.reset();
        this->forget_update();
    }

    [[nodiscard]] bool empty() const noexcept { return !value_.has_value(); }
    void save(auto& out) const {
        out.write(value_);
        this->save_update(out);
    }
    void load(auto& in) {
        in.read(value_);
        this->load_update(in);
    }
};
}  // namespace driftless::inline v0
#endif
