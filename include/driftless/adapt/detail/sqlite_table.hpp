// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_DETAIL_SQLITE_TABLE_HPP
#define DRIFTLESS_ADAPT_DETAIL_SQLITE_TABLE_HPP

#include <driftless/adapt/detail/sqlite_columns.hpp>
#include <driftless/adapt/detail/sqlite_database.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The table that a sink fills: how it is made, checked, written and read.

namespace driftless::inline v0::detail {

inline std::string sqlite_folded(std::string_view name) {  // as SQLite compares names: ASCII alone
    std::string out{name};
    for (char& c : out) {
        if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

class sqlite_table {
    std::string name_;
    bool append_;
    std::vector<sqlite_column> keys_;    // with the window
    std::vector<sqlite_column> values_;
    std::vector<sqlite_column> all_;     // of the table, in its order
    std::vector<std::string> identity_;  // the columns that tell its rows apart

    template <class List, class Text>
    static std::string joined(List const& list, Text text, char const* between = ", ") {
        std::string out;
        for (auto const& each : list) out += (out.empty() ? "" : between) + text(each);
        return out;
    }
    static std::string quoted_column(sqlite_column const& column) { return sqlite_quoted(column.name); }
    /// "?3, ?4": as many as there are columns, from `first` on.
    static std::string parameters(std::size_t first, std::size_t count) {
        std::string out;
        for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "?" : ", ?") + std::to_string(first + i);
        return out;
    }
    static void check_name(sqlite_database const& in, std::string_view what, std::string_view name) {
        auto const folded = sqlite_folded(name);
        if (name.empty() || name.find('\0') != std::string_view::npos || folded.starts_with("sqlite_")
            || folded.starts_with("driftless_")) {
            std::string shown{name.substr(0, name.find('\0'))};  // a message ends there as well
            if (shown.size() != name.size()) shown += "\\0...";
            in.refuse(error_code::invalid_argument,
                "sqlite_sink: '" + shown + "' cannot be the name of a " + std::string{what}
                    + ": it is empty or holds a zero byte, or it begins with sqlite_ or driftless_, which are taken");
        }
    }

public:
    /// `keys` with the window's; `told` says that rows which are taken away are told by a row.
    sqlite_table(sqlite_database const& in, std::string name, bool append, bool told, std::vector<sqlite_column> keys,
        std::vector<sqlite_column> values)
        : name_(std::move(name)), append_(append), keys_(std::move(keys)), values_(std::move(values)) {
        check_name(in, "table", name_);
        for (auto const* const list : {&keys_, &values_}) {
            for (auto const& each : *list) check_name(in, "column", each.name);
        }
        auto const number = [](char const* called) { return sqlite_column{called, sqlite_type::integer}; };
        all_ = {{"driftless_view", sqlite_type::text}, {"driftless_operator", sqlite_type::text}};
        identity_ = {"driftless_view", "driftless_operator"};
        if (append_) {
            all_.insert(all_.end(), {number("driftless_epoch"), number("driftless_index")});
            identity_.insert(identity_.end(), {"driftless_epoch", "driftless_index"});
            if (told) {
                all_.push_back(number("driftless_removed"));
                for (auto& each : values_) each.nullable = true;
            }
        }
        all_.insert(all_.end(), keys_.begin(), keys_.end());
        all_.insert(all_.end(), values_.begin(), values_.end());
        if (!append_) {
            for (auto const& each : keys_) identity_.push_back(each.name);
            all_.insert(
                all_.end(), {number("driftless_build"), number("driftless_epoch"), number("driftless_sequence")});
        }
        for (std::size_t i = 0; i < all_.size(); ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                if (sqlite_folded(all_[i].name) != sqlite_folded(all_[k].name)) continue;
                in.refuse(error_code::invalid_argument,
                    "sqlite_sink: two columns of table '" + name_ + "' are called '" + all_[i].name
                        + "': name them apart with .key_columns or .value_columns");
            }
        }
    }
    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    [[nodiscard]] bool append() const noexcept { return append_; }
    [[nodiscard]] std::size_t key_count() const noexcept { return keys_.size(); }
    [[nodiscard]] std::size_t value_count() const noexcept { return values_.size(); }

    /// Names and types of what a staged row holds: other ones cannot be moved into this table.
    [[nodiscard]] std::string signature() const {
        return (append_ ? "append" : "upsert")
            + joined(all_, [](auto const& c) { return c.name + ' ' + sqlite_type_name(c.type); }, ",");
    }
    [[nodiscard]] std::string create() const {
        auto const column = [&](sqlite_column const& c) {
            return sqlite_quoted(c.name) + ' ' + sqlite_type_name(c.type) + (c.nullable ? "" : " NOT NULL");
        };
        return "CREATE TABLE IF NOT EXISTS " + sqlite_quoted(name_) + " (" + joined(all_, column) + ", PRIMARY KEY ("
            + joined(identity_, sqlite_quoted) + ")) WITHOUT ROWID";
    }
    /// Throws error{mismatch} with what differs, where the table that is there cannot hold the rows.
    void check(sqlite_database& in) const {
        sqlite_statement kind{in, "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'index'"};
        kind.bind(1, std::string_view{name_});
        if (kind.step() && kind.text_at(0) != "table") {
            in.refuse(error_code::mismatch, "sqlite_sink: '" + name_ + "' is a " + std::string{kind.text_at(0)});
        }
        kind.reset();
        struct there {
            std::string name;
            std::string declared;
            bool not_null;
            bool has_default;
            bool identity;
        };
        std::vector<there> found;
        sqlite_statement list{in, "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?1)"};
        list.bind(1, std::string_view{name_});
        while (list.step()) {
            found.push_back({std::string{list.text_at(0)}, std::string{list.text_at(1)}, list.integer(2) != 0,
                !list.is_null(3), list.integer(4) != 0});
        }
        std::string differences;
        auto const differs = [&](std::string const& line) { differences += "\n  " + line; };
        std::string identity;
        for (auto const& each : found) {
            if (each.identity) identity += (identity.empty() ? "" : ", ") + each.name;
        }
        bool same_identity = true;
        for (auto const& want : all_) {
            there const* has = nullptr;
            for (auto const& each : found) {
                if (sqlite_folded(each.name) == sqlite_folded(want.name)) has = &each;
            }
            std::string const type = sqlite_type_name(want.type);
            if (has == nullptr) {
                differs("column '" + want.name + "': the rows have one (" + type + "), the table has not");
                continue;
            }
            if (affinity(has->declared) != want.type) {
                differs("column '" + want.name + "': " + type + " in the rows, "
                    + (has->declared.empty() ? "of no type" : has->declared) + " in the table");
            }
            if (want.nullable && has->not_null) {
                differs("column '" + want.name + "': may be NULL in the rows, NOT NULL in the table");
            }
            bool identifies = false;
            for (auto const& each : identity_) identifies = identifies || each == want.name;
            same_identity = same_identity && identifies == has->identity;
        }
        for (auto const& each : found) {
            bool wanted = false;
            for (auto const& want : all_) wanted = wanted || sqlite_folded(each.name) == sqlite_folded(want.name);
            if (wanted) continue;
            same_identity = same_identity && !each.identity;
            if (each.not_null && !each.has_default) {
                differs("column '" + each.name + "': NOT NULL without a default in the table, not in the rows");
            }
        }
        if (!same_identity) {
            differs("primary key: (" + joined(identity_, [](auto const& n) { return n; }) + ") for the rows, ("
                + identity + ") in the table");
        }
        if (!differences.empty()) {
            in.refuse(error_code::mismatch,
                "sqlite_sink: table '" + name_ + "' is another one than the rows need:" + differences);
        }
    }

    // Parameters of the statements that write: 1 view, 2 operator; upsert: 3 build, 4 epoch, 5 sequence; append:
    // 3 epoch, 4 index, 5 removed; then the fields.
    static constexpr int first_field = 6;

    [[nodiscard]] std::string insert() const {
        auto const name = sqlite_quoted(name_);
        std::string fields;
        if (!keys_.empty()) fields += ", " + joined(keys_, quoted_column);
        if (!values_.empty()) fields += ", " + joined(values_, quoted_column);
        auto const count = keys_.size() + values_.size();
        auto const values = count == 0 ? std::string{} : ", " + parameters(first_field, count);
        if (append_) {
            bool const told = all_.size() == count + 5;
            return "INSERT INTO " + name + " (driftless_view, driftless_operator, driftless_epoch, driftless_index"
                + (told ? ", driftless_removed" : "") + fields + ") VALUES (?1, ?2, ?3, ?4" + (told ? ", ?5" : "")
                + values + ") ON CONFLICT DO NOTHING";
        }
        std::vector<sqlite_column> changed = values_;
        for (auto const* const each : {"driftless_build", "driftless_epoch", "driftless_sequence"}) {
            changed.push_back({each, sqlite_type::integer});
        }
        return "INSERT INTO " + name
            + " AS it (driftless_view, driftless_operator, driftless_build, driftless_epoch, driftless_sequence"
            + fields + ") VALUES (?1, ?2, ?3, ?4, ?5" + values + ") ON CONFLICT (" + joined(identity_, sqlite_quoted)
            + ") DO UPDATE SET "
            + joined(changed,
                [](auto const& c) { return sqlite_quoted(c.name) + " = excluded." + sqlite_quoted(c.name); })
            + " WHERE (it.driftless_build, it.driftless_epoch, it.driftless_sequence) <= (?3, ?4, ?5)";
    }
    [[nodiscard]] std::string remove() const {
        return "DELETE" + from_mine() + with_key()
            + " AND (driftless_build, driftless_epoch, driftless_sequence) <= (?3, ?4, ?5)";
    }
    [[nodiscard]] std::string remove_all() const { return "DELETE" + from_mine(); }
    [[nodiscard]] std::string count() const { return "SELECT count(*)" + from_mine(); }
    /// The fields of the value; parameters as of remove().
    [[nodiscard]] std::string find() const {
        return "SELECT " + (values_.empty() ? "0" : joined(values_, quoted_column)) + from_mine() + with_key();
    }
    /// The fields of key, window and value of all rows of a view and operator, by key and window.
    [[nodiscard]] std::string list() const {
        auto all = keys_;
        all.insert(all.end(), values_.begin(), values_.end());
        return "SELECT " + (all.empty() ? "0" : joined(all, quoted_column)) + from_mine() + " ORDER BY "
            + joined(identity_, sqlite_quoted);
    }
    /// Epoch, index or sequence, whether removed, then the fields; ?1 a view or '' for all.
    [[nodiscard]] std::string select() const {
        std::string sql = "SELECT driftless_epoch, ";
        sql += append_ ? "driftless_index, " : "driftless_sequence, ";
        sql += append_ && all_.size() == keys_.size() + values_.size() + 5 ? "driftless_removed" : "0";
        if (!keys_.empty()) sql += ", " + joined(keys_, quoted_column);
        if (!values_.empty()) sql += ", " + joined(values_, quoted_column);
        return sql + " FROM " + sqlite_quoted(name_) + " WHERE ?1 = '' OR driftless_view = ?1 ORDER BY "
            + joined(identity_, sqlite_quoted);
    }

private:
    [[nodiscard]] std::string from_mine() const {
        return " FROM " + sqlite_quoted(name_) + " WHERE driftless_view = ?1 AND driftless_operator = ?2";
    }
    [[nodiscard]] std::string with_key() const {
        std::string same;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            same += " AND " + quoted_column(keys_[i]) + " = ?" + std::to_string(first_field + i);
        }
        return same;
    }
    /// SQLite's rules for declared types.
    static sqlite_type affinity(std::string_view declared) {
        auto const folded = sqlite_folded(declared);
        auto const has = [&](char const* part) { return folded.find(part) != std::string::npos; };
        if (has("int")) return sqlite_type::integer;
        if (has("char") || has("clob") || has("text")) return sqlite_type::text;
        if (has("real") || has("floa") || has("doub")) return sqlite_type::real;
        return sqlite_type::null;
    }
};
}  // namespace driftless::inline v0::detail
#endif
