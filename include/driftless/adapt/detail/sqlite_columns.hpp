// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_DETAIL_SQLITE_COLUMNS_HPP
#define DRIFTLESS_ADAPT_DETAIL_SQLITE_COLUMNS_HPP

#include <driftless/adapt/detail/sqlite_database.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// What a value looks like in SQLite: its columns, and its fields as bytes that wait to be bound.

namespace driftless::inline v0::detail {

enum class sqlite_type : unsigned char {
    null,
    integer,
    real,
    text
};
constexpr char const* sqlite_type_name(sqlite_type type) noexcept {
    return type == sqlite_type::integer ? "INTEGER" : type == sqlite_type::real ? "REAL"
                                                                                : "TEXT";
}

struct sqlite_column {
    std::string name;
    sqlite_type type;
    bool nullable = false;
};

template <class T>
consteval bool find_sqlite_value() {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::integer) return sizeof(T) <= 8;
    else if constexpr (shape == value_shape::floating) return sizeof(T) <= 8;
    else if constexpr (shape == value_shape::optional) {
        using inner = typename T::value_type;
        return find_sqlite_value<inner>() && shape_of<inner> != value_shape::optional && !has_parts<inner>
            && shape_of<inner> != value_shape::window && shape_of<inner> != value_shape::empty;
    } else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_sqlite_value<part_t<I, T>>() && ...);
        }(std::make_index_sequence<part_count<T>>{});
    else
        return shape == value_shape::boolean || shape == value_shape::enumeration || shape == value_shape::time
            || shape == value_shape::span || shape == value_shape::window || shape == value_shape::text
            || shape == value_shape::empty;
}
/// Types that become columns: bool, integers of up to 64 bits, enums, float, double, text, event_time, duration,
/// time_window (two columns), optional of one column, and pair, tuple and reflected structs of these.
template <class T>
inline constexpr bool is_sqlite_value = find_sqlite_value<T>();

/// The columns of a T. A part without a name of its own is called as it is said; parts of a tuple are numbered from 1.
template <class T>
void add_sqlite_columns(std::vector<sqlite_column>& out, std::string const& name, bool outermost = true) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::reflected) {
        for_each_member_index<T>([&]<std::size_t I>() {
            std::string const member{member_name<I, T>()};
            add_sqlite_columns<member_t<I, T>>(out, outermost ? member : name + "_" + member, false);
        });
    } else if constexpr (shape == value_shape::product) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (add_sqlite_columns<part_t<I, T>>(out, name + "_" + std::to_string(I + 1), false), ...);
        }(std::make_index_sequence<part_count<T>>{});
    } else if constexpr (shape == value_shape::window) {
        out.push_back({name + "_start", sqlite_type::integer});
        out.push_back({name + "_end", sqlite_type::integer});
    } else if constexpr (shape == value_shape::optional) {
        add_sqlite_columns<typename T::value_type>(out, name, false);
        out.back().nullable = true;
    } else if constexpr (shape == value_shape::floating) {
        out.push_back({name, sqlite_type::real, true});  // SQLite keeps a NaN as NULL
    } else if constexpr (shape != value_shape::empty) {
        out.push_back({name, shape == value_shape::text ? sqlite_type::text : sqlite_type::integer});
    }
}

/// Fields one after the other: a byte for the type, then 8 bytes, or for text its size in 8 bytes and its bytes.
class sqlite_fields {
    std::string* out_;

    void put(sqlite_type type, void const* data, std::size_t size) {
        *out_ += static_cast<char>(type);
        out_->append(static_cast<char const*>(data), size);
    }

public:
    explicit sqlite_fields(std::string& out) : out_(&out) {}

    void put_null() { *out_ += static_cast<char>(sqlite_type::null); }
    void put_integer(std::int64_t value) { put(sqlite_type::integer, &value, sizeof value); }

    /// Errors      error{overflow} for an unsigned integer that SQLite's signed ones do not reach.
    template <class T>
    void put_value(T const& value) {
        constexpr auto shape = shape_of<T>;
        if constexpr (shape == value_shape::boolean) {
            put_integer(value ? 1 : 0);
        } else if constexpr (shape == value_shape::integer) {
            if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
                if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                    throw error{error_code::overflow,
                        "sqlite_sink: " + std::to_string(value) + " does not fit INTEGER, which is signed"};
                }
            }
            put_integer(static_cast<std::int64_t>(value));
        } else if constexpr (shape == value_shape::enumeration) {
            put_value(static_cast<std::underlying_type_t<T>>(value));
        } else if constexpr (shape == value_shape::floating) {
            auto const wide = static_cast<double>(value);
            if (wide != wide) put_null();
            else put(sqlite_type::real, &wide, sizeof wide);
        } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
            put_integer(value.ns());
        } else if constexpr (shape == value_shape::window) {
            put_integer(value.start.ns());
            put_integer(value.end.ns());
        } else if constexpr (shape == value_shape::text) {
            std::string_view const bytes{value};
            std::uint64_t const size = bytes.size();
            put(sqlite_type::text, &size, sizeof size);
            *out_ += bytes;
        } else if constexpr (shape == value_shape::optional) {
            if (value) put_value(*value);
            else put_null();
        } else if constexpr (has_parts<T>) {
            for_each_part(value, [&](auto const& inner) { put_value(inner); });
        } else {
            static_assert(shape == value_shape::empty);
        }
    }
};

/// Reads what sqlite_fields wrote.
class sqlite_field_reader {
    std::string_view left_;

    template <class T>
    T take() {
        if (left_.size() < sizeof(T)) fail();
        T value;
        std::memcpy(&value, left_.data(), sizeof(T));  // NOLINT(bugprone-suspicious-stringview-data-usage)
        left_.remove_prefix(sizeof(T));
        return value;
    }
    [[noreturn]] static void fail() {
        throw error{error_code::corrupt, "sqlite_sink: staged rows end in the middle of one: the database is damaged"};
    }

public:
    explicit sqlite_field_reader(std::string_view bytes) : left_(bytes) {}

    [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
    std::int64_t integer() {
        if (take<sqlite_type>() != sqlite_type::integer) fail();
        return take<std::int64_t>();
    }
    /// Binds the next `count` fields to the parameters from `first` on.
    void bind(sqlite_statement& to, int first, std::size_t count) {
        for (auto at = first; count != 0; --count, ++at) {
            switch (take<sqlite_type>()) {
                case sqlite_type::null: to.bind_null(at); break;
                case sqlite_type::integer: to.bind(at, take<std::int64_t>()); break;
                case sqlite_type::real: to.bind(at, take<double>()); break;
                case sqlite_type::text: {
                    auto const size = take<std::uint64_t>();
                    if (left_.size() < size) fail();
                    to.bind(at, left_.substr(0, size));
                    left_.remove_prefix(size);
                    break;
                }
                default: fail();
            }
        }
    }
};

/// The value in the columns from `at` on, which moves behind them. Text is borrowed until the next step.
template <class T>
void read_sqlite_value(sqlite_statement const& from, int& at, T& value) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::boolean) {
        value = from.integer(at++) != 0;
    } else if constexpr (shape == value_shape::integer || shape == value_shape::enumeration) {
        value = static_cast<T>(from.integer(at++));
    } else if constexpr (shape == value_shape::floating) {
        value = from.is_null(at) ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(from.real(at));
        ++at;
    } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
        value = T{from.integer(at++)};
    } else if constexpr (shape == value_shape::window) {
        value.start = event_time{from.integer(at++)};
        value.end = event_time{from.integer(at++)};
    } else if constexpr (shape == value_shape::text) {
        value = T{from.text_at(at++)};
    } else if constexpr (shape == value_shape::optional) {
        if (from.is_null(at)) {
            value.reset();
            ++at;
        } else {
            read_sqlite_value(from, at, value.emplace());
        }
    } else if constexpr (has_parts<T>) {
        for_each_part(value, [&](auto& inner) { read_sqlite_value(from, at, inner); });
    }
}
}  // namespace driftless::inline v0::detail
#endif
