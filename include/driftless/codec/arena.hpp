// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_ARENA_HPP
#define DRIFTLESS_CODEC_ARENA_HPP

#include <cstddef>
#include <new>
#include <utility>

// Under AddressSanitizer reused memory is poisoned, so that a text that outlived its arena is found.
#if defined(__SANITIZE_ADDRESS__)
#define DRIFTLESS_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DRIFTLESS_ARENA_ASAN 1
#endif
#endif
#if defined(DRIFTLESS_ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace driftless::inline v0 {

/// Memory for the bytes of strings that live and die together, such as those of one window.
///
/// State       Chunks of 4 KiB doubling to 1 MiB, bookkeeping included; a larger request gets a chunk of its own.
///             reset() invalidates everything handed out and keeps the largest chunk.
/// Errors      std::bad_alloc.
/// Complexity  allocate: amortised O(1), no alignment (bytes of strings only); nothing is freed singly.
class arena {
    struct chunk {
        chunk* next;
        std::size_t size;  // of the whole chunk, this header included
    };
    static constexpr std::size_t first_size = 4096;
    static constexpr std::size_t last_size = std::size_t{1} << 20;

    char* at_ = nullptr;        // first free byte of the head chunk
    std::size_t left_ = 0;      // free bytes there
    chunk* head_ = nullptr;     // the chunk being filled; full ones and oversized ones behind it
    std::size_t bytes_ = 0;
    std::size_t next_size_ = first_size;

public:
    arena() = default;
    arena(arena&& other) noexcept { swap(other); }
    arena& operator=(arena&& other) noexcept {
        arena moved{std::move(other)};
        swap(moved);
        return *this;
    }
    arena(arena const&) = delete;
    arena& operator=(arena const&) = delete;
    ~arena() { release(head_); }

    /// Room for n bytes, unaligned and uninitialised; may be null where n is 0.
    [[nodiscard]] char* allocate(std::size_t n) {
        if (n > left_) return allocate_slowly(n);
        char* const there = at_;
        unpoison(there, n);
        at_ += n;
        left_ -= n;
        return there;
    }

    /// Takes everything back; the largest chunk stays for reuse, the others are freed.
    void reset() noexcept {
        if (head_ == nullptr) return;
        chunk** largest = &head_;
        for (chunk** link = &head_; *link != nullptr; link = &(*link)->next)
            if ((*link)->size > (*largest)->size) largest = link;
        chunk* const kept = *largest;
        *largest = kept->next;
        release(head_);
        kept->next = nullptr;
        bytes_ = kept->size;
        start(kept);
    }

    /// Bytes reserved from the heap, used or not, bookkeeping included.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    void swap(arena& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(left_, other.left_);
        std::swap(head_, other.head_);
        std::swap(bytes_, other.bytes_);
        std::swap(next_size_, other.next_size_);
    }

private:
    char* allocate_slowly(std::size_t n) {
        if (n > next_size_ - sizeof(chunk)) {  // a chunk of its own; the head is filled further
            if (n > ~std::size_t{0} - sizeof(chunk)) throw std::bad_alloc{};
            chunk* const own = reserve(n + sizeof(chunk));
            if (head_ == nullptr) {
                own->next = nullptr;
                head_ = own;
                at_ = body(own) + n;
            } else {
                own->next = head_->next;
                head_->next = own;
            }
            return body(own);
        }
        chunk* const fresh = reserve(next_size_);
        if (next_size_ < last_size) next_size_ *= 2;
        fresh->next = head_;
        start(fresh);
        return allocate(n);
    }
    chunk* reserve(std::size_t size) {
        auto* const fresh = static_cast<chunk*>(::operator new(size));
        fresh->size = size;
        bytes_ += size;
        return fresh;
    }
    void start(chunk* fresh) noexcept {
        head_ = fresh;
        at_ = body(fresh);
        left_ = fresh->size - sizeof(chunk);
        poison(at_, left_);
    }
    static char* body(chunk* of) noexcept { return reinterpret_cast<char*>(of + 1); }
    static void release(chunk* list) noexcept {
        while (list != nullptr) {
            chunk* const next = list->next;
            unpoison(body(list), list->size - sizeof(chunk));
            ::operator delete(list);
            list = next;
        }
    }
#if defined(DRIFTLESS_ARENA_ASAN)
    static void poison(char* from, std::size_t n) noexcept { ASAN_POISON_MEMORY_REGION(from, n); }
    static void unpoison(char* from, std::size_t n) noexcept { ASAN_UNPOISON_MEMORY_REGION(from, n); }
#else
    static void poison(char*, std::size_t) noexcept {}
    static void unpoison(char*, std::size_t) noexcept {}
#endif
};
}  // namespace driftless::inline v0
#endif
