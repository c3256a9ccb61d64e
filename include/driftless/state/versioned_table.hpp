// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_VERSIONED_TABLE_HPP
#define DRIFTLESS_STATE_VERSIONED_TABLE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/value_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A version of a row: what it was in [from, to). Without a value there was no row: deleted, not there yet, or
/// forgotten.
///
/// State       Borrowed from its table, until the next put.
template <class Value>
struct row_version {
    Value const* value = nullptr;
    event_time from = event_time::min();
    event_time to = event_time::max();

    explicit operator bool() const noexcept { return value != nullptr; }
};

/// Rows by key with their past: each key has versions, of which one is valid from its own time to that of the next.
///
/// Time        A version that is put between two others ends the earlier one; one that is put at the time of another
///             takes its place. Deleting a row puts a version without a value, which is not the same as an empty value.
///             What may be forgotten is told by one bound, which only grows: forget_before(t), and by itself the newest
///             time that was put less the `history`. A put before the bound is refused, and counted. A read as of t is
///             answered iff t >= bound, or if the latest version is valid from t or before.
/// State       Of each key the versions that are valid at the bound or later; a deleted key nothing once the bound has
///             reached its deletion. Keys and values are copied, with their text.
/// Errors      std::bad_alloc.
/// Complexity  put at or behind the end of a key's versions, latest: O(1) expected; put and as_of of older ones are
///             linear in the versions that are newer, as_of in the order of time amortised O(1). Forgetting is O(1) per
///             version.
/// Source      SEMANTICS section 9; Apache Kafka, KIP-889: versioned state stores.
template <class Key, class Value>
class versioned_table {
    struct beside {
        event_time from;
        std::uint32_t older;
        std::uint32_t newer;
        std::uint32_t key;  // of a version without a value: its key among deleted_
        std::uint32_t nth;  // tells the uses of a place apart
    };
    struct nothing {};
    using pool = value_pool<Value, beside>;
    using key_pool = value_pool<Key, nothing>;
    static constexpr std::uint32_t none = pool::none;
    struct entry {
        std::uint32_t newest;
        std::uint32_t read = none;  // the version that was read last, if its use is still the same
        std::uint32_t read_nth = 0;
    };
    /// When the bound reaches `at`, what is older than this version is out of sight.
    struct expiry {
        event_time at;
        std::uint32_t of;
        std::uint32_t nth;
        friend bool operator<(expiry const& a, expiry const& b) noexcept { return a.at < b.at; }
    };

    duration history_;
    event_time bound_ = event_time::min();
    std::uint64_t expired_ = 0;
    keyed_table<Key, entry> keys_;
    pool versions_;
    key_pool deleted_;
    detail::nearly_sorted_queue<expiry> expiries_;
    std::uint32_t nth_ = 0;

public:
    using key_type = Key;
    using value_type = Value;
    using version = row_version<Value>;

    /// `history`: by how much a put may be behind the newest one, and a read. max(): only forget_before() forgets.
    explicit versioned_table(duration history = duration::max()) : history_(history) {}

    /// Puts a version, valid from `at`: until when. Nothing if it was refused, since `at` is before the bound.
    std::optional<event_time> put(Key const& key, event_time at, Value const& value) {
        return put_version(key, hash_in(key), at, &value);
    }
    /// The same for a row that is deleted at `at`.
    std::optional<event_time> erase(Key const& key, event_time at) {
        return put_version(key, hash_in(key), at, nullptr);
    }

    /// The same where the hash is known; without a value the row is deleted.
    std::optional<event_time> put(Key const& key, std::uint64_t hash, event_time at, Value const* value) {
        return put_version(key, hash, at, value);
    }

    /// The version that is valid from the latest time on.
    [[nodiscard]] version latest(Key const& key) { return latest(key, hash_in(key)); }
    [[nodiscard]] version latest(Key const& key, std::uint64_t hash) {
        auto const* const found = keys_.find(key, hash);
        return found == nullptr ? version{} : version_at(found->newest, event_time::max());
    }
    /// The version that is valid at `t`.
    [[nodiscard]] version as_of(Key const& key, event_time t) { return as_of(key, hash_in(key), t); }
    [[nodiscard]] version as_of(Key const& key, std::uint64_t hash, event_time t) {
        auto* const found = keys_.find(key, hash);
        if (found == nullptr) return {};
        auto at = found->newest;
        if (t < versions_.beside(at).from) {
            if (t < bound_) return {};  // what was valid then may have been forgotten
            at = older_as_of(*found, t);
            if (at == none) return {};
        }
        auto const newer = versions_.beside(at).newer;
        return version_at(at, newer == none ? event_time::max() : versions_.beside(newer).from);
    }
    /// Whether the key has any version, be it that of its deletion.
    [[nodiscard]] bool knows(Key const& key) { return knows(key, hash_in(key)); }
    [[nodiscard]] bool knows(Key const& key, std::uint64_t hash) { return keys_.find(key, hash) != nullptr; }

    /// What was valid before `t` alone may be forgotten, and what is put there is refused.
    void forget_before(event_time t) {
        if (t <= bound_) return;
        bound_ = t;
        for (; !expiries_.empty() && expiries_.top().at <= bound_; expiries_.pop()) expire(expiries_.top());
    }
    [[nodiscard]] event_time bound() const noexcept { return bound_; }
    /// The bound at which something is forgotten next.
    [[nodiscard]] event_time next_to_forget() const noexcept {
        return expiries_.empty() ? event_time::max() : expiries_.top().at;
    }

    /// How many keys there are, those included that are deleted and not forgotten yet.
    [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }
    /// How many versions, those without a value included.
    [[nodiscard]] std::size_t versions() const noexcept { return versions_.size(); }
    /// How many puts were refused.
    [[nodiscard]] std::uint64_t expired() const noexcept { return expired_; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return keys_.bytes() + versions_.bytes() + deleted_.bytes() + expiries_.size() * sizeof(expiry);
    }
    void clear() {
        bound_ = event_time::min();
        expired_ = 0;
        keys_.clear();
        versions_.clear();
        deleted_.clear();
        expiries_.clear();
    }

    /// For snapshots: all keys by canonical hash, the versions of each from the oldest on.
    void save(auto& out) {
        detail::growing_array<std::uint32_t> past;
        out.write(bound_).write(expired_).write(static_cast<std::uint64_t>(keys_.size()));
        keys_.for_each_ordered([&](auto const& key, entry const& each, std::uint64_t) {
            if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
            past.clear();
            for (auto at = each.newest; at != none; at = versions_.beside(at).older) past.push_back(at);
            out.write(static_cast<std::uint64_t>(past.size()));
            for (; !past.empty(); past.pop_back()) {
                auto const at = past.back();
                bool const there = versions_.beside(at).key == none;
                out.write(versions_.beside(at).from).write(there);
                if (there) out.write(versions_[at]);
            }
        });
    }
    void load(auto& in) {
        clear();
        auto const bound = in.template read<event_time>();
        auto const expired = in.template read<std::uint64_t>();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            Key key{};
            if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
            bool const drop = detail::left_out::drops(key);
            for (auto count = in.template read<std::uint64_t>(); count != 0; --count) {
                auto const at = in.template read<event_time>();
                if (in.template read<bool>()) {
                    auto const value = in.template read<Value>();
                    if (drop) continue;
                    put_checked(key, hash_in(key), at, &value);
                } else if (!drop) {
                    put_checked(key, hash_in(key), at, nullptr);
                }
            }
        }
        bound_ = bound;
        expired_ = expired;
    }

private:
    static std::uint64_t hash_in(Key const& key) noexcept { return detail::hash_of(key); }
    [[nodiscard]] version version_at(std::uint32_t at, event_time to) const noexcept {
        auto const& more = versions_.beside(at);
        return {more.key == none ? &versions_[at] : nullptr, more.from, to};
    }

    /// The version that is valid at `t`, which is not the latest. Who reads in the order of time goes on from what was
    /// read last.
    std::uint32_t older_as_of(entry& of, event_time t) {
        bool const goes_on = of.read != none && versions_.beside(of.read).nth == of.read_nth
            && versions_.beside(of.read).from <= t;
        auto at = goes_on ? of.read : of.newest;
        if (goes_on) {
            for (auto next = versions_.beside(at).newer; versions_.beside(next).from <= t;) {
                at = next;
                next = versions_.beside(at).newer;
            }
        } else {
            while (at != none && t < versions_.beside(at).from) at = versions_.beside(at).older;
            if (at == none) return none;
        }
        of.read = at;
        of.read_nth = versions_.beside(at).nth;
        return at;
    }
    std::optional<event_time> put_version(Key const& key, std::uint64_t hash, event_time at, Value const* value) {
        if (at < bound_) {
            ++expired_;
            return std::nullopt;
        }
        auto const to = put_checked(key, hash, at, value);
        if (history_ != duration::max()) forget_before(at - history_);
        return to;
    }
    event_time put_checked(Key const& key, std::uint64_t hash, event_time at, Value const* value) {
        entry* const found = keys_.find(key, hash);
        auto newer = none;
        auto older = found == nullptr ? none : found->newest;
        auto to = event_time::max();
        while (older != none && at < versions_.beside(older).from) {
            to = versions_.beside(older).from;
            newer = older;
            older = versions_.beside(older).older;
        }
        if (older != none && versions_.beside(older).from == at) {
            replace(older, key, value);
            return to;
        }
        auto const made = make(key, at, older, newer, value);
        if (older != none) versions_.beside(older).newer = made;
        if (newer != none) {
            bool const was_oldest = versions_.beside(newer).older == none;
            versions_.beside(newer).older = made;
            // Without a value it is expected at its time already.
            if (was_oldest && versions_.beside(newer).key == none) expect(newer);
        } else if (found != nullptr) {
            found->newest = made;
        } else {
            static_cast<void>(keys_.insert(key, hash, [&] { return entry{made}; }));
        }
        if (older != none || value == nullptr) expect(made);
        return to;
    }
    std::uint32_t make(
        Key const& key, event_time at, std::uint32_t older, std::uint32_t newer, Value const* value) {
        beside const more{at, older, newer, value != nullptr ? none : deleted_.hold(key, {}), nth_++};
        return versions_.hold(value != nullptr ? *value : Value{}, more);
    }
    void replace(std::uint32_t at, Key const& key, Value const* value) {
        auto& more = versions_.beside(at);
        if (value != nullptr) {
            if (more.key != none) deleted_.drop(more.key);
            more.key = none;
            versions_.set(at, *value);
        } else if (more.key == none) {
            more.key = deleted_.hold(key, {});
            versions_.set(at, Value{});
            if (more.older == none) expect(at);
        }
    }
    void expect(std::uint32_t at) {
        expiries_.push(expiry{versions_.beside(at).from, at, versions_.beside(at).nth});
    }
    void expire(expiry const& due) {
        auto const at = due.of;
        if (versions_.beside(at).nth != due.nth) return;  // it has gone, and its place is another's
        for (auto older = versions_.beside(at).older; older != none;) {
            auto const next = versions_.beside(older).older;
            drop(older);
            older = next;
        }
        versions_.beside(at).older = none;
        if (versions_.beside(at).key == none) return;
        // A deletion with nothing before it: if nothing comes after it either, the key is forgotten.
        auto const& key = deleted_[versions_.beside(at).key];
        auto const hash = hash_in(key);
        if (keys_.find(key, hash)->newest != at) return;
        keys_.erase(key, hash);
        drop(at);
    }
    void drop(std::uint32_t at) noexcept {
        auto& more = versions_.beside(at);
        if (more.key != none) deleted_.drop(more.key);
        more.nth = nth_++;  // what is expected of it is not any more
        versions_.drop(at);
    }
};
}  // namespace driftless::inline v0
#endif
