// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DETAIL_TOLD_ROWS_HPP
#define DRIFTLESS_TESTING_DETAIL_TOLD_ROWS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/testing/as_code.hpp>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing::detail {
/// What is compared, to the byte, and what people read of it.
struct told_text {
    std::string bytes;
    std::string text;
    friend bool operator==(told_text const& a, told_text const& b) noexcept { return a.bytes == b.bytes; }
};
/// The rows of one (key, window): one, or as many as an operator made of it.
struct told_row {
    std::string place;
    std::vector<told_text> values;
    friend bool operator==(told_row const& a, told_row const& b) noexcept { return a.values == b.values; }
};

/// A sink that notes each call in order, and the rows that stand in the end, by the bytes of (window, key).
template <class Key, class Value, bool Changes>
class told_rows {
public:
    using keeps_rows = void;  // it compares what the rows are, whatever encoding shows them

    std::vector<told_text> calls;
    std::map<std::string, told_row> rows;

    void write(pane<Key, Value> const& row) {
        static_assert(encodable<Value>,
            "driftless: explore compares rows by their encoding, and the value of this pipeline has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        if constexpr (encodable<Value>) {
            told_text value{encode(row.value), as_code(row.value)};
            auto const place = place_of(row.key, row.window);
            auto& there = rows.try_emplace(place, told_row{text_of(row.key, row.window), {}}).first->second;
            if constexpr (Changes) there.values.clear();
            there.values.push_back(value);
            std::string bytes = "w" + place + value.bytes;
            byte_writer{bytes}
                .write(static_cast<int>(row.info.timing))
                .write(row.info.index)
                .write(row.info.non_speculative_index)
                .write(row.info.first)
                .write(row.info.last);
            calls.push_back({bytes, there.place + " = " + value.text + ", " + text_of(row.info)});
        }
    }
    void remove(Key const& key, time_window window) {
        auto const place = place_of(key, window);
        rows.erase(place);
        calls.push_back({"r" + place, text_of(key, window) + " removed"});
    }

private:
    static std::string place_of(Key const& key, time_window window) {
        std::string out = encode(window);
        if constexpr (!std::is_same_v<Key, unkeyed>) out += encode(key);
        return out;
    }
    static std::string text_of([[maybe_unused]] Key const& key, time_window window) {
        std::string out;
        if constexpr (!std::is_same_v<Key, unkeyed>) out = "key " + as_code(key) + " ";
        return out + "[" + as_code(window.start) + ", " + as_code(window.end) + ")";
    }
    static std::string text_of(pane_info const& info) {
        return std::string{to_string(info.timing)} + " pane " + std::to_string(info.index)
            + (info.first ? ", first" : "") + (info.last ? ", last" : "");
    }
};

template <class In, class Record>
struct told_rows_for {
    using type = told_rows<typename In::key, Record, changelog<In>>;
};
template <class In, class Key, class Value>
    requires std::is_same_v<typename In::key, Key>
struct told_rows_for<In, pane<Key, Value>> {
    using type = told_rows<Key, Value, changelog<In>>;
};
}  // namespace driftless::inline v0::testing::detail
#endif
