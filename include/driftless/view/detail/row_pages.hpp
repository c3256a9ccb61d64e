// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_ROW_PAGES_HPP
#define DRIFTLESS_VIEW_DETAIL_ROW_PAGES_HPP

#include <driftless/core/config.hpp>
#include <driftless/view/detail/block_pool.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

namespace driftless::inline v0::detail {

/// A hash table of which readers see whole versions, while the next one is made beside it: pages of some 16 places,
/// found by the first bits of the hash through a directory of two levels. What a version changes is copied once, page
/// and path to it; the rest is shared by all versions.
///
/// Slot        Trivially copyable; `hash`, in_use(); all zero bytes are a place that is not in use.
/// State       Borrows the version_maker. Pages are 3/8 to 3/4 full.
/// Threads     The writer changes it; others read a directory that was published and is not retired.
/// Complexity  Look-up O(1); a change O(1), and one copy of its page and of the path to it per version.
/// Source      R. Fagin et al., "Extendible hashing" (1979); path copying: Driscoll et al., "Making data structures
///             persistent" (1989).
template <class Slot>
class row_pages {
    static_assert(std::is_trivially_copyable_v<Slot>);
    static constexpr unsigned chunk_bits = 8;
    static constexpr std::size_t chunk_size = std::size_t{1} << chunk_bits;
    static constexpr std::uint32_t first_capacity = sizeof(Slot) <= 32 ? 32 : 16;
    static constexpr unsigned most_depth = 40;

    struct alignas(64) page {
        std::uint64_t born;
        std::uint32_t capacity;  // a power of two
        std::uint32_t count;
        std::uint32_t depth;  // so many first bits do all hashes in it share

        [[nodiscard]] Slot* slots() noexcept { return reinterpret_cast<Slot*>(this + 1); }
        [[nodiscard]] Slot const* slots() const noexcept { return reinterpret_cast<Slot const*>(this + 1); }
        static std::size_t bytes(std::uint32_t capacity) noexcept { return sizeof(page) + capacity * sizeof(Slot); }
    };
    /// A page, and how many places it has: whoever looks for a row need not look at the head of its page.
    class entry {
        std::uintptr_t bits_;

    public:
        entry(page* of) noexcept  // NOLINT(google-explicit-constructor)
            : bits_(reinterpret_cast<std::uintptr_t>(of) + static_cast<unsigned>(std::countr_zero(of->capacity))) {
        }
        [[nodiscard]] page* get() const noexcept {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): it was made of one
            return reinterpret_cast<page*>(bits_ & ~std::uintptr_t{63});
        }
        [[nodiscard]] std::uint32_t mask() const noexcept { return (std::uint32_t{1} << (bits_ & 63)) - 1; }
        page* operator->() const noexcept { return get(); }
        friend bool operator==(entry, entry) = default;
        friend bool operator==(entry a, page const* b) noexcept { return a.get() == b; }
    };
    struct chunk {
        std::uint64_t born;
        entry pages[chunk_size];
    };

public:
    /// One version of the table.
    struct directory {
        std::uint64_t born;
        std::uint32_t depth;
        std::uint32_t chunks;

        [[nodiscard]] chunk* const* begin() const noexcept { return reinterpret_cast<chunk* const*>(this + 1); }
        [[nodiscard]] chunk** begin() noexcept { return reinterpret_cast<chunk**>(this + 1); }
        static std::size_t bytes(std::size_t chunks) noexcept { return sizeof(directory) + chunks * sizeof(chunk*); }
    };

private:
    version_maker& maker_;
    directory* now_;
    page* empty_;  // where nothing has been put yet: many entries may lead there
    std::size_t rows_ = 0;

public:
    /// Makes room for so many rows.
    explicit row_pages(version_maker& maker, std::size_t expected = 0) : maker_(maker) {
        unsigned depth = chunk_bits;
        while ((expected >> depth) > first_capacity / 2) ++depth;
        now_ = new_directory(depth);
        empty_ = new_page(first_capacity, depth);
        for (std::uint32_t c = 0; c < now_->chunks; ++c) {
            auto* const all = new_chunk();
            for (auto& each : all->pages) each = empty_;
            now_->begin()[c] = all;
        }
        if (expected == 0) {  // few pages for few rows
            empty_->depth = 0;
            empty_ = nullptr;
        }
    }
    row_pages(row_pages const&) = delete;
    row_pages& operator=(row_pages const&) = delete;
    /// What it holds is retired; the rows are the caller's to look after.
    ~row_pages() {
        page const* last = nullptr;
        for (std::uint32_t c = 0; c < now_->chunks; ++c) {
            for (auto const at : now_->begin()[c]->pages) {
                auto* const each = at.get();
                if (each == last || each == empty_) continue;
                last = each;
                maker_.retire(each, each->born, page::bytes(each->capacity));
            }
        }
        if (empty_ != nullptr) maker_.retire(empty_, empty_->born, page::bytes(first_capacity));
        for (std::uint32_t c = 0; c < now_->chunks; ++c) {
            auto* const each = now_->begin()[c];
            maker_.retire(each, each->born, sizeof(chunk));
        }
        maker_.retire(now_, now_->born, directory::bytes(now_->chunks));
    }

    [[nodiscard]] directory const* now() const noexcept { return now_; }
    [[nodiscard]] std::size_t size() const noexcept { return rows_; }

    /// The place for which is(slot) holds among those of this hash, or null.
    template <class Is>
    [[nodiscard]] DRIFTLESS_INLINE static Slot const* find(directory const* in, std::uint64_t hash, Is const& is) {
        auto const at = hash >> (64 - in->depth);
        return find_in(in->begin()[at >> chunk_bits]->pages[at & (chunk_size - 1)], hash, is);
    }
    /// f(slot) for each row, by the first bits of their hashes.
    template <class F>
    static void for_each(directory const* in, F&& f) {
        page const* last = nullptr;  // several entries may lead to one page, one behind the other
        for (std::uint32_t c = 0; c < in->chunks; ++c) {
            for (auto const at : in->begin()[c]->pages) {
                page const* const each = at.get();
                if (each != last) each_in(last = each, f);
            }
        }
    }

    /// Shows the rows of all pages that the two do not share: was(slot) those of `before`, is(slot) those of `after`.
    template <class Was, class IsNow>
    static void compare(directory const* before, directory const* after, Was&& was, IsNow&& is) {
        if (before == after) return;
        auto const depth = before->depth < after->depth ? after->depth : before->depth;
        page const* last_before = nullptr;
        page const* last_after = nullptr;
        auto const end = std::uint64_t{1} << depth;
        for (std::uint64_t i = 0; i < end; ++i) {
            auto const b = i >> (depth - before->depth);
            auto const a = i >> (depth - after->depth);
            auto const* const from = before->begin()[b >> chunk_bits];
            auto const* const to = after->begin()[a >> chunk_bits];
            if (from == to && before->depth == after->depth && i % chunk_size == 0) {
                i += chunk_size - 1;
                continue;
            }
            page const* const old = from->pages[b & (chunk_size - 1)].get();
            page const* const fresh = to->pages[a & (chunk_size - 1)].get();
            if (old == fresh) continue;
            if (old != last_before) each_in(last_before = old, was);
            if (fresh != last_after) each_in(last_after = fresh, is);
        }
    }

    template <class Is>
    [[nodiscard]] Slot const* find(std::uint64_t hash, Is const& is) const {
        return find(now_, hash, is);
    }
    /// A place that may be changed, or null: valid until the next change of the table.
    template <class Is>
    [[nodiscard]] DRIFTLESS_INLINE Slot* own(std::uint64_t hash, Is const& is) {
        auto const at = entry_of(hash);
        auto* const of = at.get();
        auto* const found = find_in(at, hash, is);
        if (found == nullptr || of->born == maker_.version) return const_cast<Slot*>(found);
        auto const index = found - of->slots();
        return own_page(hash)->slots() + index;
    }
    /// A place for one that is not there yet: all zero bytes, to be filled before the next change of the table.
    [[nodiscard]] DRIFTLESS_INLINE Slot& insert(std::uint64_t hash) {
        auto* of = page_of(hash);
        if (of->born != maker_.version || of == empty_) [[unlikely]]
            of = own_page(hash);
        while ((of->count + 1) * 4 > of->capacity * 3) of = make_room(hash);
        ++of->count;
        ++rows_;
        return of->slots()[free_place(of, hash)];
    }
    /// Takes out what own() has found.
    void erase(std::uint64_t hash, Slot* which) {
        auto* const of = page_of(hash);  // own() has made it ours
        auto const mask = of->capacity - 1;
        auto hole = static_cast<std::uint32_t>(which - of->slots());
        for (auto next = (hole + 1) & mask; of->slots()[next].in_use(); next = (next + 1) & mask) {
            auto const home = static_cast<std::uint32_t>(of->slots()[next].hash) & mask;
            if (((next - home) & mask) < ((next - hole) & mask)) continue;  // it is home, or nearer to it than the hole
            std::memcpy(static_cast<void*>(of->slots() + hole), of->slots() + next, sizeof(Slot));
            hole = next;
        }
        std::memset(static_cast<void*>(of->slots() + hole), 0, sizeof(Slot));
        --of->count;
        --rows_;
    }

private:
    template <class F>
    static void each_in(page const* of, F& f) {
        for (std::uint32_t i = 0; i < of->capacity; ++i) {
            if (of->slots()[i].in_use()) f(of->slots()[i]);
        }
    }
    template <class Is>
    [[nodiscard]] DRIFTLESS_INLINE static Slot const* find_in(entry of, std::uint64_t hash, Is const& is) {
        auto const mask = of.mask();
        auto const* const slots = of.get()->slots();
        for (auto i = static_cast<std::uint32_t>(hash) & mask;; i = (i + 1) & mask) {
            auto const& slot = slots[i];
            if (!slot.in_use()) return nullptr;
            if (slot.hash == hash && is(slot)) return &slot;
        }
    }
    [[nodiscard]] static std::uint32_t free_place(page const* of, std::uint64_t hash) noexcept {
        auto const mask = of->capacity - 1;
        auto i = static_cast<std::uint32_t>(hash) & mask;
        while (of->slots()[i].in_use()) i = (i + 1) & mask;
        return i;
    }
    [[nodiscard]] DRIFTLESS_INLINE page* page_of(std::uint64_t hash) const noexcept { return entry_of(hash).get(); }
    [[nodiscard]] DRIFTLESS_INLINE entry entry_of(std::uint64_t hash) const noexcept {
        auto const at = hash >> (64 - now_->depth);
        return now_->begin()[at >> chunk_bits]->pages[at & (chunk_size - 1)];
    }
    page* new_page(std::uint32_t capacity, std::uint32_t depth) {
        auto* const out = ::new (maker_.pool.take(page::bytes(capacity))) page{maker_.version, capacity, 0, depth};
        std::memset(static_cast<void*>(out->slots()), 0, capacity * sizeof(Slot));
        return out;
    }
    chunk* new_chunk() {
        auto* const out = static_cast<chunk*>(maker_.pool.take(sizeof(chunk)));
        out->born = maker_.version;
        return out;
    }
    directory* new_directory(unsigned depth) {
        auto const chunks = std::uint32_t{1} << (depth - chunk_bits);
        return ::new (maker_.pool.take(directory::bytes(chunks))) directory{maker_.version, depth, chunks};
    }

    chunk* own_chunk(std::size_t which) {
        if (now_->born != maker_.version) {
            auto* const copy = new_directory(now_->depth);
            std::memcpy(copy->begin(), now_->begin(), now_->chunks * sizeof(chunk*));
            maker_.retire(now_, now_->born, directory::bytes(now_->chunks));
            now_ = copy;
        }
        auto*& of = now_->begin()[which];
        if (of->born != maker_.version) {
            auto* const copy = new_chunk();
            std::memcpy(copy->pages, of->pages, sizeof of->pages);
            maker_.retire(of, of->born, sizeof(chunk));
            of = copy;
        }
        return of;
    }
    /// Puts `what` where all hashes lie that begin with the first `depth` bits of `hash`.
    void place(std::uint64_t hash, std::uint32_t depth, page* what) {
        auto const count = std::uint64_t{1} << (now_->depth - depth);
        auto const first = (hash >> (64 - now_->depth)) & ~(count - 1);
        for (auto i = first; i < first + count;) {
            auto* const of = own_chunk(i >> chunk_bits);
            for (auto const end = ((i >> chunk_bits) + 1) << chunk_bits; i < first + count && i < end; ++i)
                of->pages[i & (chunk_size - 1)] = what;
        }
    }
    DRIFTLESS_NOINLINE page* own_page(std::uint64_t hash) {
        auto* const of = page_of(hash);
        auto const size = page::bytes(of->capacity);
        auto* const copy = static_cast<page*>(maker_.pool.take(size));
        std::memcpy(static_cast<void*>(copy), of, size);
        copy->born = maker_.version;
        place(hash, copy->depth, copy);
        if (of != empty_) maker_.retire(of, of->born, size);
        return copy;
    }
    /// The page of this hash is ours and full: splits it, or makes it larger where the hashes do not let split. Returns
    /// the page of the hash.
    DRIFTLESS_NOINLINE page* make_room(std::uint64_t hash) {
        auto* const of = page_of(hash);
        if (of->depth == now_->depth) {
            bool const sparse = (std::uint64_t{1} << now_->depth) > 2 * (rows_ + chunk_size);
            if (sparse || now_->depth == most_depth) return enlarge(of, hash);
            double_directory();
        }
        auto const bit = std::uint64_t{1} << (63 - of->depth);
        page* const halves[2] = {new_page(of->capacity, of->depth + 1), new_page(of->capacity, of->depth + 1)};
        for (std::uint32_t i = 0; i < of->capacity; ++i) {
            if (of->slots()[i].in_use()) put(halves[(of->slots()[i].hash & bit) != 0 ? 1 : 0], of->slots()[i]);
        }
        place(hash & ~bit, of->depth + 1, halves[0]);
        place(hash | bit, of->depth + 1, halves[1]);
        maker_.retire(of, of->born, page::bytes(of->capacity));
        return halves[(hash & bit) != 0 ? 1 : 0];
    }
    page* enlarge(page* of, std::uint64_t hash) {
        auto* const larger = new_page(of->capacity * 2, of->depth);
        for (std::uint32_t i = 0; i < of->capacity; ++i) {
            if (of->slots()[i].in_use()) put(larger, of->slots()[i]);
        }
        place(hash, larger->depth, larger);
        maker_.retire(of, of->born, page::bytes(of->capacity));
        return larger;
    }
    static void put(page* into, Slot const& slot) noexcept {
        std::memcpy(static_cast<void*>(into->slots() + free_place(into, slot.hash)), &slot, sizeof(Slot));
        ++into->count;
    }
    void double_directory() {
        auto* const twice = new_directory(now_->depth + 1);
        for (std::uint32_t c = 0; c < now_->chunks; ++c) {
            auto* const from = now_->begin()[c];
            for (std::size_t half = 0; half < 2; ++half) {
                auto* const into = new_chunk();
                for (std::size_t i = 0; i < chunk_size; ++i)
                    into->pages[i] = from->pages[half * (chunk_size / 2) + i / 2];
                twice->begin()[2 * std::size_t{c} + half] = into;
            }
            maker_.retire(from, from->born, sizeof(chunk));
        }
        maker_.retire(now_, now_->born, directory::bytes(now_->chunks));
        now_ = twice;
    }
};
}  // namespace driftless::inline v0::detail
#endif
