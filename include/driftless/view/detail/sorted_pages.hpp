// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_SORTED_PAGES_HPP
#define DRIFTLESS_VIEW_DETAIL_SORTED_PAGES_HPP

#include <driftless/view/detail/block_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

namespace driftless::inline v0::detail {

/// Entries in order, of which readers see whole versions: pages of up to 64 entries, and an array of them. What a
/// version changes is copied once, pages and the array; the rest is shared.
///
/// Entry       Trivially copyable; before(other) is a strict total order.
/// Threads     As row_pages.
/// Complexity  A change O(log entries), one copy of its page per version, and one of the array: 8 bytes for each 32 to
///             64 entries.
template <class Entry>
class sorted_pages {
    static_assert(std::is_trivially_copyable_v<Entry>);
    static constexpr std::uint32_t capacity = 64;

    struct page {
        std::uint64_t born;
        std::uint32_t count;
        alignas(Entry) std::byte bytes[capacity * sizeof(Entry)];

        [[nodiscard]] Entry* data() noexcept { return reinterpret_cast<Entry*>(bytes); }
        [[nodiscard]] Entry const* begin() const noexcept { return reinterpret_cast<Entry const*>(bytes); }
        [[nodiscard]] Entry const* end() const noexcept { return begin() + count; }
    };

public:
    struct directory {
        std::uint64_t born;
        std::uint32_t count;
        std::uint32_t room;

        [[nodiscard]] page** begin() noexcept { return reinterpret_cast<page**>(this + 1); }
        [[nodiscard]] page* const* begin() const noexcept { return reinterpret_cast<page* const*>(this + 1); }
        [[nodiscard]] page* const* end() const noexcept { return begin() + count; }
        static std::size_t bytes(std::uint32_t room) noexcept { return sizeof(directory) + room * sizeof(page*); }
    };

private:
    version_maker& maker_;
    directory* now_;

public:
    explicit sorted_pages(version_maker& maker) : maker_(maker), now_(new_directory(6)) {}
    sorted_pages(sorted_pages const&) = delete;
    sorted_pages& operator=(sorted_pages const&) = delete;
    ~sorted_pages() { retire_all(); }

    [[nodiscard]] directory const* now() const noexcept { return now_; }

    void insert(Entry const& what) {
        own_directory();
        if (now_->count == 0) {
            now_->begin()[0] = new_page();
            now_->count = 1;
        }
        auto at = place_of(now_, what);
        auto* of = own_page(at);
        if (of->count == capacity) {
            split(at);
            if (now_->begin()[at + 1]->begin()->before(what)) ++at;
            of = now_->begin()[at];
        }
        auto const where = static_cast<std::size_t>(lower(of, what) - of->data());
        auto* const there = of->data() + where;
        std::memmove(static_cast<void*>(there + 1), there, (of->count - where) * sizeof(Entry));
        std::memcpy(static_cast<void*>(there), &what, sizeof(Entry));
        ++of->count;
    }
    /// Takes out an entry that is there.
    void erase(Entry const& what) {
        own_directory();
        auto const at = place_of(now_, what);
        auto* const of = own_page(at);
        auto const where = static_cast<std::size_t>(lower(of, what) - of->data());
        --of->count;
        auto* const there = of->data() + where;
        std::memmove(static_cast<void*>(there), there + 1, (of->count - where) * sizeof(Entry));
        if (of->count != 0) return;
        maker_.retire(of, of->born, sizeof(page));
        --now_->count;
        std::memmove(now_->begin() + at, now_->begin() + at + 1, (now_->count - at) * sizeof(page*));
    }
    void clear() {
        retire_all();
        now_ = new_directory(6);
    }

    /// f(entry), in order, from the first one for which too_early(entry) does not hold, until f returns false.
    template <class Early, class F>
    static void each_from(directory const* in, Early const& too_early, F&& f) {
        page* const* at = std::partition_point(
            in->begin(), in->end(), [&](page const* each) { return too_early(*(each->end() - 1)); });
        if (at == in->end()) return;
        page const* in_page = *at;
        auto const* from = std::partition_point(in_page->begin(), in_page->end(), too_early);
        for (;;) {
            for (; from != in_page->end(); ++from) {
                if (!f(*from)) return;
            }
            if (++at == in->end()) return;
            in_page = *at;
            from = in_page->begin();
        }
    }
    /// f(entry) from the last one on, backwards, until f returns false.
    template <class F>
    static void each_backwards(directory const* in, F&& f) {
        for (auto at = in->end(); at != in->begin();) {
            page const* const in_page = *--at;
            for (auto const* from = in_page->end(); from != in_page->begin();) {
                if (!f(*--from)) return;
            }
        }
    }

private:
    /// The page where an entry is, or belongs: the last one that does not begin behind it.
    static std::size_t place_of(directory const* in, Entry const& what) {
        auto const behind = std::partition_point(in->begin(), in->end(),
            [&](page const* each) { return each->count == 0 || !what.before(*each->begin()); });
        return behind == in->begin() ? 0 : static_cast<std::size_t>(behind - in->begin()) - 1;
    }
    static Entry const* lower(page const* in, Entry const& what) {
        return std::partition_point(in->begin(), in->end(), [&](Entry const& each) { return each.before(what); });
    }
    page* new_page() { return ::new (maker_.pool.take(sizeof(page))) page{maker_.version, 0, {}}; }
    directory* new_directory(std::uint32_t room) {
        return ::new (maker_.pool.take(directory::bytes(room))) directory{maker_.version, 0, room};
    }
    /// The array is ours, and has room for one more page.
    void own_directory() {
        bool const full = now_->count == now_->room;
        if (now_->born == maker_.version && !full) return;
        auto* const copy = new_directory(full ? now_->room * 2 + 2 : now_->room);
        copy->count = now_->count;
        std::memcpy(copy->begin(), now_->begin(), now_->count * sizeof(page*));
        maker_.retire(now_, now_->born, directory::bytes(now_->room));
        now_ = copy;
    }
    page* own_page(std::size_t at) {
        auto*& of = now_->begin()[at];
        if (of->born == maker_.version) return of;
        auto* const copy = static_cast<page*>(maker_.pool.take(sizeof(page)));
        std::memcpy(static_cast<void*>(copy), of, sizeof(page));
        copy->born = maker_.version;
        maker_.retire(of, of->born, sizeof(page));
        of = copy;
        return copy;
    }
    void split(std::size_t at) {
        auto* const first = now_->begin()[at];
        auto* const second = new_page();
        second->count = capacity / 2;
        first->count = capacity - capacity / 2;
        std::memcpy(static_cast<void*>(second->data()), first->data() + first->count, second->count * sizeof(Entry));
        std::memmove(now_->begin() + at + 2, now_->begin() + at + 1, (now_->count - at - 1) * sizeof(page*));
        now_->begin()[at + 1] = second;
        ++now_->count;
    }
    void retire_all() {
        for (auto* const each : *now_) maker_.retire(each, each->born, sizeof(page));
        maker_.retire(now_, now_->born, directory::bytes(now_->room));
    }
};
}  // namespace driftless::inline v0::detail
#endif
