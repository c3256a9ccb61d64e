// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_LAYOUT_HPP
#define DRIFTLESS_LOG_LAYOUT_HPP

#include <boost/hana/adapt_struct.hpp>

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/text.hpp>
#include <driftless/log/detail/record_loop.hpp>

#include <cstddef>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Room for `capacity` objects that are made one by one, at a stable address.
template <class T>
class raw_array {
    T* data_;
    std::size_t size_ = 0;

public:
    explicit raw_array(std::size_t capacity)
        : data_(static_cast<T*>(::operator new(capacity * sizeof(T), std::align_val_t{alignof(T)}))) {}
    raw_array(raw_array const&) = delete;
    raw_array& operator=(raw_array const&) = delete;
    ~raw_array() {
        for (std::size_t i = 0; i < size_; ++i) data_[i].~T();
        ::operator delete(data_, std::align_val_t{alignof(T)});
    }
    template <class... Args>
    T& add(Args&&... args) {
        T* const made = ::new (static_cast<void*>(data_ + size_)) T(std::forward<Args>(args)...);
        ++size_;
        return *made;
    }
    [[nodiscard]] T const* data() const noexcept { return data_; }
};
}  // namespace detail

/// Records one after the other, as they are.
struct rows {
    /// The records of one block: written by one thread, read by others up to what is published.
    template <class T>
    class store {
        detail::raw_array<T> records_;
        arena bytes_;

    public:
        explicit store(std::size_t capacity) : records_(capacity) {}
        void add(T const& record) {
            T copy = record;
            rehome(copy, bytes_);  // first what may throw
            records_.add(std::move(copy));
        }

        /// What readers hold: the records from `first` on.
        class view {
            T const* data_;

        public:
            view(store const& of, std::size_t first) noexcept : data_(of.records_.data() + first) {}
            T const& operator[](std::size_t i) const noexcept { return data_[i]; }
            template <class F>
            DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
                detail::each_row(data_, from, to, f);
            }
        };
    };
};

/// Records of any size, encoded one behind the other: on disk alone.
struct packed {};

/// One column per member of a reflected record: members that a pipeline does not read are never
/// touched.
struct columns {
    template <class T>
    class store {
        static_assert(reflected<T>,
            "driftless: the columns layout needs to know the members: BOOST_HANA_ADAPT_STRUCT(T, ...)");
        /// A std::string is kept as text in the block and assigned to the record that is handed out.
        template <class M>
        using kept = std::conditional_t<std::is_same_v<M, std::string>, text, M>;

        template <class Indices>
        struct column_types;
        template <std::size_t... I>
        struct column_types<std::index_sequence<I...>> {
            using arrays = std::tuple<detail::raw_array<kept<detail::member_t<I, T>>>...>;
            using pointers = std::tuple<kept<detail::member_t<I, T>> const*...>;
            static arrays make(std::size_t capacity) { return arrays{((void)I, capacity)...}; }
        };
        using indices = std::make_index_sequence<detail::member_count<T>>;
        using arrays = typename column_types<indices>::arrays;
        using pointers = typename column_types<indices>::pointers;

        arrays columns_;
        arena bytes_;

        template <std::size_t... I>
        void add_all(T const& record, std::index_sequence<I...>) {
            // First what may throw: then all columns grow, or none.
            std::tuple<kept<detail::member_t<I, T>>...> copy{
                kept<detail::member_t<I, T>>(detail::member<I>(record))...};
            (rehome(std::get<I>(copy), bytes_), ...);
            (std::get<I>(columns_).add(std::move(std::get<I>(copy))), ...);
        }

    public:
        explicit store(std::size_t capacity) : columns_(column_types<indices>::make(capacity)) {}
        void add(T const& record) {
            add_all(record, indices{});
        }

        class view {
            pointers columns_;

            DRIFTLESS_INLINE static void fill(T& out, pointers const& from, std::size_t i) {
                detail::melt_each_member_index<T>([&]<std::size_t I>() DRIFTLESS_INLINE_LAMBDA {
                    auto const& value = std::get<I>(from)[i];
                    if constexpr (std::is_same_v<detail::member_t<I, T>, std::string>) {
                        detail::member<I>(out).assign(value.data(), value.size());
                    } else {
                        detail::member<I>(out) = value;
                    }
                });
            }

        public:
            view(store const& of, std::size_t first) noexcept
                : columns_(std::apply([first](auto const&... column) { return pointers{column.data() + first...}; },
                      of.columns_)) {}
            T operator[](std::size_t i) const {
                T out{};
                fill(out, columns_, i);
                return out;
            }
            template <class F>
            DRIFTLESS_INLINE void each(std::size_t from, std::size_t to, F&& f) const {
                pointers const local = columns_;
                if constexpr (std::is_trivially_copyable_v<T>) {
                    detail::record_loop<F, false>(from, to, [&](std::size_t i) DRIFTLESS_INLINE_LAMBDA {
                        T record{};
                        fill(record, local, i);
                        f(i, record);
                    });
                } else {
                    T scratch{};  // strings keep their room from record to record
                    for (std::size_t i = from; i < to; ++i) {
                        fill(scratch, local, i);
                        f(i, scratch);
                    }
                }
            }
        };
    };
};
}  // namespace driftless::inline v0
#endif
