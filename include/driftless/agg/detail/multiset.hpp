// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_MULTISET_HPP
#define DRIFTLESS_AGG_DETAIL_MULTISET_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/varint.hpp>
#include <driftless/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The key bytes of a multiset, each value once, with its length before it.
class key_store {
    std::string bytes_;
    std::size_t dead_ = 0;  // of bytes_, those of values that are gone

public:
    [[nodiscard]] std::string_view at(std::uint64_t offset) const noexcept {
        std::uint64_t size = 0;
        char const* const end = bytes_.data() + bytes_.size();
        char const* const first = read_varint(bytes_.data() + offset, end, size);
        return {first, static_cast<std::size_t>(size)};
    }
    [[nodiscard]] std::uint64_t put(std::string_view key) {
        auto const offset = bytes_.size();
        char size[max_varint_size];
        bytes_.append(size, static_cast<std::size_t>(write_varint(size, key.size()) - size));
        bytes_.append(key.data(), key.size());
        return offset;
    }
    void drop(std::uint64_t offset) noexcept {
        auto const size = at(offset).size();
        dead_ += varint_size(size) + size;
    }
    [[nodiscard]] bool wastes() const noexcept { return dead_ > 256 && dead_ > bytes_.size() / 2; }
    [[nodiscard]] std::size_t live() const noexcept { return bytes_.size() - dead_; }
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
};
struct no_key_store {};

/// How often each value was added less how often it was taken away; values at 0 are forgotten.
///
/// A group, not only a set: a value taken away before it was added stands at -1 until it comes, so that combine and
/// inverse are exact in any order. The count of distinct values is that of those above 0.
///
/// A multiset that was moved from may only be assigned to or destroyed.
///
/// State       Ordered linear probing: slots run in order of the canonical hash (then of the key bytes), each at or
///             after the slot its highest bits name. Up to 8 values the name is always slot 0, so that they are a
///             small sorted array. A walk over the slots is a walk in canonical order, whatever the history: so equal
///             sets encode equally. 16 bytes a slot for an integer key (its hash is it, turned around); 24 and the
///             key bytes for others.
/// Complexity  Expected O(1), O(key bytes), per change; load at most 3/4, at least 1/8.
/// Source      O. Amble, D. E. Knuth, "Ordered hash tables" (1974); unmix64.
template <canonical_key V>
class multiset {
    static constexpr bool is_integer = integer_key<V>;
    static constexpr std::size_t small = 8;  // slots up to which there is no table

    struct integer_slot {
        std::uint64_t hash;
        std::int64_t times;  // 0: free
    };
    struct bytes_slot {
        std::uint64_t hash;
        std::int64_t times;
        std::uint64_t offset;
    };
    using slot = std::conditional_t<is_integer, integer_slot, bytes_slot>;

    std::vector<slot> slots_;  // a power of two, or none
    std::size_t used_ = 0;
    std::int64_t present_ = 0;  // of them, those above 0
    [[no_unique_address]] std::conditional_t<is_integer, no_key_store, key_store> keys_;

public:
    /// Values that are there once or more.
    [[nodiscard]] std::int64_t size() const noexcept { return present_; }

    DRIFTLESS_INLINE void change(V const& value, std::int64_t by) {
        if constexpr (is_integer) {
            change_hashed(canonical_hash(value), {}, by);
        } else if constexpr (shape_of<V> == value_shape::text) {
            change_hashed(canonical_hash(value), std::string_view{value.data(), value.size()}, by);
        } else if constexpr (fixed_key_size<V>() <= 256) {
            char bytes[fixed_key_size<V>() + 1];  // + 1: an empty key still needs an array
            put_key_raw(bytes, value);
            std::string_view const key{bytes, fixed_key_size<V>()};
            change_hashed(xxh3_64(key.data(), key.size()), key, by);
        } else {
            auto const key = key_bytes(value);
            change_hashed(xxh3_64(key.data(), key.size()), key, by);
        }
    }
    /// Every value of `other`, `sign` times as often; `other` may be *this.
    void change_all(multiset const& other, std::int64_t sign) {
        if (&other == this) return change_all(multiset{other}, sign);
        other.each([this, sign](std::uint64_t hash, std::string_view key, std::int64_t times) {
            change_part(hash, key, times * sign);
        });
    }

    /// f(hash, key bytes, times), by canonical hash, then by key bytes.
    void each(auto&& f) const {
        std::size_t const first = wrapped();
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            slot const& at = slots_[(first + i) & (slots_.size() - 1)];
            if (at.times != 0) f(at.hash, key_of(at), at.times);
        }
    }

    void save(byte_writer& out) const {
        out.put_varint(used_);
        each([&out](std::uint64_t hash, std::string_view key, std::int64_t times) {
            if constexpr (is_integer) {
                out.put_fixed64(hash);
            } else {
                if constexpr (fixed_key_size<V>() == key_size_varies) out.put_varint(key.size());
                out.put_bytes(key);
            }
            out.put_zigzag(times);
        });
    }
    void load(byte_reader& in) {
        *this = multiset{};
        std::uint64_t before = 0;
        std::string_view key_before{};
        std::size_t const count = in.get_count(is_integer ? 9 : 1);
        for (std::size_t i = 0; i < count; ++i) {
            std::uint64_t hash = 0;
            std::string_view key{};
            if constexpr (is_integer) {
                hash = in.get_fixed64();
                auto const value = unmix64(hash);
                if (key_to_u64(u64_to_key<V>(value)) != value) in.fail("a number does not fit its type");
            } else {
                std::size_t size = fixed_key_size<V>();
                if constexpr (fixed_key_size<V>() == key_size_varies) size = in.get_count();
                key = in.get_bytes(size);
                hash = xxh3_64(key.data(), key.size());
            }
            bool const ascends = i == 0 || before < hash || (before == hash && key_before < key);
            if (!ascends) in.fail("a set of values is not in ascending order");
            auto const times = in.get_zigzag();
            if (times == 0) in.fail("a value of a set is there no times");
            insert(hash, key, times);
            before = hash;
            key_before = key;
        }
    }

    friend bool operator==(multiset const& a, multiset const& b) {
        if (a.used_ != b.used_ || a.present_ != b.present_) return false;
        bool same = true;
        a.each([&](std::uint64_t hash, std::string_view key, std::int64_t times) {
            auto const at = b.find(hash, key);
            same = same && at.found && b.slots_[at.index].times == times;
        });
        return same;
    }

private:
    struct place {
        std::size_t index;
        bool found;
    };

    [[nodiscard]] std::string_view key_of(slot const& of) const noexcept {
        if constexpr (is_integer) return {};
        else return keys_.at(of.offset);
    }
    [[nodiscard]] std::size_t home(std::uint64_t hash) const noexcept {
        if (slots_.size() <= small) return 0;
        return static_cast<std::size_t>(hash >> (__builtin_clzll(slots_.size()) + 1));
    }
    /// How far slot i is from the home of the value in it.
    [[nodiscard]] std::size_t displacement(std::size_t i) const noexcept {
        return (i - home(slots_[i].hash)) & (slots_.size() - 1);
    }
    /// How many slots at the front belong to the end.
    [[nodiscard]] std::size_t wrapped() const noexcept {
        std::size_t i = 0;
        while (i < slots_.size() && slots_[i].times != 0 && displacement(i) > i) ++i;
        return i;
    }

    /// Where the value is, or would have to go; slots_ is not empty.
    [[nodiscard]] DRIFTLESS_INLINE place find(std::uint64_t hash, std::string_view key) const noexcept {
        std::size_t const mask = slots_.size() - 1;
        std::size_t const start = home(hash);
        for (std::size_t far = 0; far < slots_.size(); ++far) {
            std::size_t const i = (start + far) & mask;
            slot const& at = slots_[i];
            if (at.times == 0) return {i, false};
            if (at.hash == hash) {
                if constexpr (is_integer) {
                    return {i, true};
                } else {
                    int const order = key_of(at).compare(key);
                    if (order == 0) return {i, true};
                    if (order > 0) return {i, false};
                }
            } else {
                std::size_t const its = displacement(i);
                if (its < far || (its == far && at.hash > hash)) return {i, false};
            }
        }
        return {0, false};  // a full array, and all of it comes before
    }

    DRIFTLESS_INLINE void change_hashed(std::uint64_t hash, std::string_view key, std::int64_t by) {
        if (used_ != 0) {
            auto const at = find(hash, key);
            if (at.found) {
                auto& times = slots_[at.index].times;
                auto const before = times;
                times += by;
                present_ += static_cast<std::int64_t>(times > 0) - static_cast<std::int64_t>(before > 0);
                if (times == 0) [[unlikely]]
                    erase(at.index);
                return;
            }
        }
        insert(hash, key, by);
    }

    DRIFTLESS_NOINLINE void change_part(std::uint64_t hash, std::string_view key, std::int64_t by) {
        change_hashed(hash, key, by);
    }
    /// A value that is not there yet.
    DRIFTLESS_NOINLINE void insert(std::uint64_t hash, std::string_view key, std::int64_t times) {
        if (times == 0) return;
        std::size_t const size = slots_.size();
        if (size == 0) resize(2);
        else if (size <= small ? used_ == size : used_ >= size / 4 * 3) resize(size * 2);
        slot fresh{};
        fresh.hash = hash;
        fresh.times = times;
        std::size_t const index = find(hash, key).index;
        if constexpr (!is_integer) fresh.offset = keys_.put(key);
        push_in(index, fresh);
        ++used_;
        present_ += static_cast<std::int64_t>(times > 0);
    }
    /// Everything from `index` to the next free slot moves up by one.
    void push_in(std::size_t index, slot fresh) noexcept {
        std::size_t const mask = slots_.size() - 1;
        for (; slots_[index].times != 0; index = (index + 1) & mask) std::swap(slots_[index], fresh);
        slots_[index] = fresh;
    }
    DRIFTLESS_NOINLINE void erase(std::size_t index) {
        if constexpr (!is_integer) keys_.drop(slots_[index].offset);
        std::size_t const mask = slots_.size() - 1;
        for (std::size_t next = (index + 1) & mask; slots_[next].times != 0 && displacement(next) != 0;
            index = next, next = (next + 1) & mask)
            slots_[index] = slots_[next];
        slots_[index] = slot{};
        --used_;
        bool shrink = slots_.size() > small && used_ < slots_.size() / 8;
        if constexpr (!is_integer) shrink = shrink || keys_.wastes();
        if (shrink) resize(slots_.size() > small && used_ < slots_.size() / 8 ? slots_.size() / 2 : slots_.size());
    }
    /// The same values in `size` slots, and key bytes without gaps.
    void resize(std::size_t size) {
        multiset other;
        other.slots_.resize(size);
        if constexpr (!is_integer) other.keys_.reserve(keys_.live());
        std::size_t from = 0;  // values come in order: each goes to its home, or right after the one before
        each([&](std::uint64_t hash, std::string_view key, std::int64_t times) {
            std::size_t const start = other.home(hash);
            from = from < start ? start : from;
            slot moved{};
            moved.hash = hash;
            moved.times = times;
            if constexpr (!is_integer) moved.offset = other.keys_.put(key);
            other.push_in_order(from++, moved);
        });
        other.used_ = used_;
        other.present_ = present_;
        *this = static_cast<multiset&&>(other);
    }
    /// Past the end the slots go on at the front, and what is there already moves up.
    void push_in_order(std::size_t index, slot const& moved) noexcept {
        if (index < slots_.size()) slots_[index] = moved;
        else push_in(index - slots_.size(), moved);
    }
};
}  // namespace driftless::inline v0::detail
#endif
